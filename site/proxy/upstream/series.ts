export type MetricsFormat = "text" | "protobuf"

/** Counts series in an uncompressed response, chunk by chunk. */
export function countSeries(format: MetricsFormat): TextCount | ProtobufCount {
  return format === "text" ? new TextCount() : new ProtobufCount()
}

const LINE_FEED = 10
const HASH = 35

/** Lines that are neither empty nor comments. */
class TextCount {
  series = 0
  /** Of the line that is not over yet; undefined at its start. */
  #first: number | undefined

  add(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      this.#first ??= chunk[at]
      const end = chunk.indexOf(LINE_FEED, at)
      if (end === -1) return
      if (this.#first !== HASH && this.#first !== LINE_FEED) this.series++
      this.#first = undefined
      at = end + 1
    }
  }

  /** What shows that the response does not end where it should; undefined where nothing does. */
  unfinished(): string | undefined {
    return this.#first === undefined ? undefined : "its last line is not whole"
  }
}

/** By the wire type: what is read next, or how many bytes the value has. */
const AFTER_TAG = ["value", 8, "length", undefined, undefined, 4] as const

/** Fields `metric` (number 4) of length-delimited io.prometheus.client.MetricFamily messages. */
class ProtobufCount {
  series = 0
  /** Bytes of the message that are still to come; 0 between messages. */
  #message = 0
  /** Bytes to jump over. */
  #skip = 0
  /** The number that is being read: a message's length, a field's tag, a field's length, or a value that is skipped. */
  #reading: "message" | "tag" | "length" | "value" = "message"
  #value = 0
  #scale = 1

  add(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const jump = Math.min(this.#skip, chunk.length - at)
        at += jump
        this.#skip -= jump
        continue
      }
      const byte = chunk[at++] ?? 0
      if (this.#reading !== "message" && --this.#message < 0) throw new Error("a field is longer than its message")
      this.#value += (byte & 0x7f) * this.#scale
      this.#scale *= 128
      if (this.#scale > 2 ** 70) throw new Error("a number has more than ten bytes")
      if (byte < 0x80) this.#take()
    }
  }

  #take(): void {
    const value = this.#value
    this.#value = 0
    this.#scale = 1
    if (this.#reading === "message") this.#message = value
    else if (this.#reading === "length") this.#jump(value)
    else if (this.#reading === "tag") {
      if (value === 4 * 8 + 2) this.series++
      const next = AFTER_TAG[value % 8]
      if (next === undefined) throw new Error(`a field of the unknown wire type ${value % 8}`)
      if (typeof next === "string") return void (this.#reading = next)
      this.#jump(next)
    }
    this.#reading = this.#message === 0 ? "message" : "tag"
  }

  #jump(bytes: number): void {
    this.#message -= bytes
    if (this.#message < 0) throw new Error("a field is longer than its message")
    this.#skip = bytes
  }

  unfinished(): string | undefined {
    const whole = this.#message === 0 && this.#skip === 0 && this.#reading === "message" && this.#scale === 1
    return whole ? undefined : "its last message is not whole"
  }
}
