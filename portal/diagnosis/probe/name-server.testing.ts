import { createSocket } from "node:dgram"
import { once } from "node:events"
import type { TestContext } from "node:test"

/** Addresses of a name, or how the name server fails: by its response code (RFC 1035, 4.1.1), or without any response. */
export type Zone = Readonly<Record<string, readonly string[] | "servfail" | "refused" | "silent">>

const CODES = { servfail: 2, refused: 5 } as const
const NXDOMAIN = 3

/** A name server on loopback that knows these names and no others; its address with port. It counts the lookups of each name. */
export async function startNameServer(t: TestContext, zone: Zone) {
  const lookups = new Map<string, number>()
  const socket = createSocket("udp4")
  socket.on("message", (message, { port, address }) => {
    const { name, type, end } = questionOf(message)
    lookups.set(name, (lookups.get(name) ?? 0) + 1)
    const entry = zone[name]
    if (entry === "silent") return
    const addresses = typeof entry === "object" ? entry : []
    const records = addresses.filter((one) => one.includes(":") === (type === 28)).map((one) => record(type, one))
    const code = entry === undefined ? NXDOMAIN : typeof entry === "string" ? CODES[entry] : 0
    const header = Buffer.from(message.subarray(0, end))
    header.writeUInt16BE(0x8180 | code, 2)
    for (const [offset, count] of [6, 8, 10].map((at, index) => [at, index === 0 ? records.length : 0] as const))
      header.writeUInt16BE(count, offset)
    socket.send(Buffer.concat([header, ...records]), port, address)
  })
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  t.after(() => socket.close())
  return { server: `127.0.0.1:${socket.address().port}`, lookups }
}

function questionOf(message: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function record(type: number, address: string): Buffer {
  const data = type === 1 ? Buffer.from(address.split(".").map(Number)) : v6(address)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0) // the name that is looked up
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function v6(address: string): Buffer {
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)))
  const [head = "", tail = ""] = address.split("::")
  const zeros = Array<number>(8 - groups(head).length - groups(tail).length).fill(0)
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].flatMap((group) => [group >> 8, group & 0xff]))
}
