import { createSocket } from "node:dgram"
import { once } from "node:events"

const NO_ERROR = 0
const SERVFAIL = 2
const NXDOMAIN = 3
const REFUSED = 5

/** What it says of names that begin so; any other does not exist. */
const ADDRESSES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  /** Nothing listens on the first, and the faults on the second. */
  "two.": [
    [127, 0, 0, 9],
    [127, 0, 0, 1],
  ],
  "internal.": [[169, 254, 169, 254]],
}
const CODES: Readonly<Record<string, number>> = { "servfail.": SERVFAIL, "refused.": REFUSED, "nodata.": NO_ERROR }
const SILENT = "silent."

const A = 1

/** The name server of a namespace, at 127.0.0.1:53; it keeps no process running. */
export async function startNameServer(): Promise<void> {
  const socket = createSocket("udp4")
  socket.on("message", (message, { port, address }) => {
    const reply = replyTo(message)
    if (reply !== undefined) socket.send(reply, port, address)
  })
  socket.bind(53, "127.0.0.1").unref()
  await once(socket, "listening")
}

/** RFC 1035, section 4.1; undefined for names about which it is silent. */
function replyTo(message: Buffer): Buffer | undefined {
  const labels: string[] = []
  let offset = 12
  for (let length = message[offset] ?? 0; length > 0; length = message[offset] ?? 0) {
    labels.push(message.toString("latin1", offset + 1, offset + 1 + length))
    offset += length + 1
  }
  const name = `${labels.join(".")}.`
  if (name.startsWith(SILENT)) return undefined
  const isOf = ([start]: readonly [string, unknown]): boolean => name.startsWith(start)
  const known = Object.entries(ADDRESSES).find(isOf)?.[1]
  const addresses = message.readUInt16BE(offset + 1) === A ? (known ?? []) : []
  const code = known === undefined ? (Object.entries(CODES).find(isOf)?.[1] ?? NXDOMAIN) : NO_ERROR
  const question = Buffer.from(message.subarray(0, offset + 5))
  question[2] = 0x81
  question[3] = 0x80 | code
  for (const [index, count] of [1, addresses.length, 0, 0].entries()) question.writeUInt16BE(count, 4 + index * 2)
  // a pointer to the name, A, IN, a minute, four bytes
  const record = (address: readonly number[]) => Buffer.of(0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, ...address)
  return Buffer.concat([question, ...addresses.map(record)])
}
