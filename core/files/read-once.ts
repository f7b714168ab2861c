import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats, statSync } from "node:fs"

/** Bytes, or why there are none. */
export type Content = Buffer | Error

/** Seconds until all must have come. */
const WHOLE = 10
/** Seconds for a writer to come, who waits until the pipe is opened to be read. */
const WRITER = 1
const MOST_BYTES = 64 * 2 ** 20

/** What came from files that can be read once: pipes, as those of a shell's `<(command)`, and devices. */
const known = new Map<string, Buffer>()

/** What a pipe gave when it was read; an error where it was not, and undefined for a file that can be read again and again. */
export function readBefore(file: string): Content | undefined {
  const before = known.get(file)
  if (before === undefined) return isReadOnce(file) ? new Error("it is a pipe, not a file") : undefined
  return isReadOnce(file) ? before : undefined // else a file has taken its place
}

/** The same, and reads it where it was not read; nothing else happens in this process meanwhile. */
export function readOnce(file: string): Content | undefined {
  const before = readBefore(file)
  if (!(before instanceof Error)) return before
  try {
    const content = readWhole(file)
    if (content === undefined) return before
    known.set(file, content)
    return content
  } catch (error) {
    return error as Error
  }
}

/** Whether what stands there was read, and is never read again. */
export const wasReadOnce = (file: string): boolean => known.has(file)

function isReadOnce(file: string): boolean {
  let status: Stats | undefined
  try {
    status = statSync(file, { throwIfNoEntry: false })
  } catch {
    return false // reading reports why
  }
  return status !== undefined && !status.isFile() && !status.isDirectory()
}

/** Undefined where there is no writer. Without O_NONBLOCK, opening would wait for a writer, however long it takes. */
function readWhole(file: string): Buffer | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const begin = performance.now()
    const chunks: Buffer[] = []
    let length = 0
    let written = !isNamedPipe(descriptor)
    while (performance.now() - begin < WHOLE * 1000) {
      const chunk = readChunk(descriptor)
      if (chunk === undefined) written = true
      else if (chunk.length > 0) chunks.push(chunk)
      else if (written || chunks.length > 0) return Buffer.concat(chunks)
      else if (performance.now() - begin > WRITER * 1000) return undefined
      length += chunk?.length ?? 0
      if (length > MOST_BYTES) throw new Error(`it gives more than ${MOST_BYTES / 2 ** 20} MiB`)
      if (chunk === undefined || chunk.length === 0) pause(5)
    }
    throw new Error(`it is a pipe that was not written to its end within ${WHOLE} s`)
  } finally {
    closeSync(descriptor)
  }
}

/** Empty at the end, which is also where there is no writer; undefined where more may come. */
function readChunk(descriptor: number): Buffer | undefined {
  const chunk = Buffer.allocUnsafe(65_536)
  try {
    return chunk.subarray(0, readSync(descriptor, chunk))
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined
    throw error
  }
}

/** Of mkfifo. It may have no writer yet; one that a shell made has, or has had. */
function isNamedPipe(descriptor: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith("/") && fstatSync(descriptor).isFIFO()
  } catch {
    return true // no /proc
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
