/** Chunks that wait for a slower reader, in their order. Each byte is copied once at most, however many wait. */
export function createChunkQueue() {
  let chunks: Buffer[] = []
  /** Of the first that waits: those before it are dropped many at a time. */
  let head = 0
  let bytes = 0
  return {
    get bytes(): number {
      return bytes
    },
    add(chunk: Buffer): void {
      chunks.push(chunk)
      bytes += chunk.length
    },
    /** The next bytes, so many at most. */
    take(most: number): Buffer {
      const taken: Buffer[] = []
      let room = most
      for (let chunk = chunks[head]; room > 0 && chunk !== undefined; chunk = chunks[head]) {
        taken.push(chunk.subarray(0, room))
        if (chunk.length > room) chunks[head] = chunk.subarray(room)
        else head++
        room -= Math.min(room, chunk.length)
      }
      if (head * 2 > chunks.length) {
        chunks = chunks.slice(head)
        head = 0
      }
      bytes -= most - room
      const [only] = taken
      return taken.length === 1 && only !== undefined ? only : Buffer.concat(taken, most - room)
    },
  }
}
