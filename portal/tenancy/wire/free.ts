/**
 * Gives memory back at once where nothing else has a part of it; the bytes are empty from then on. V8 counts it outside of
 * its heap, and collects all of its heap whenever some dozens of messages wait there for that.
 */
export function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
