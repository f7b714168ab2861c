import { Readable } from "node:stream"
import { setImmediate as turn } from "node:timers/promises"
import { constants, crc32, createDeflateRaw, deflateRawSync } from "node:zlib"

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** A deflate stream without its last block, which ends on a whole byte, so that another piece can follow. */
interface Compressed {
  readonly stream: Buffer
  /** Checksum and length of the plain text. */
  readonly crc: number
  readonly length: number
}

/** Text that is answered many times: encoded once, and compressed once when somebody first asks for that. */
export class Body {
  readonly plain: readonly Buffer[]
  #compressed: Promise<Compressed> | undefined

  constructor(pieces: Iterable<string | Buffer>) {
    this.plain = Array.from(pieces, (piece) => (typeof piece === "string" ? Buffer.from(piece) : piece))
  }

  /** The same, made piece by piece, between which others have their turn. */
  static async from(pieces: Iterable<string>): Promise<Body> {
    const plain: Buffer[] = []
    for (const piece of pieces) {
      plain.push(Buffer.from(piece))
      await turn()
    }
    return new Body(plain)
  }

  get compressed(): Promise<Compressed> {
    this.#compressed ??= compressOpen(this.plain)
    return this.#compressed
  }
}

async function compressOpen(plain: readonly Buffer[]): Promise<Compressed> {
  const deflate = createDeflateRaw({ level: 5, finishFlush: constants.Z_FULL_FLUSH })
  const pieces: Buffer[] = []
  for await (const piece of Readable.from(plain).pipe(deflate)) pieces.push(piece as Buffer)
  return {
    stream: Buffer.concat(pieces),
    crc: plain.reduce((crc, piece) => crc32(piece, crc), 0),
    length: plain.reduce((length, piece) => length + piece.length, 0),
  }
}

/** The body and then the tail as one gzip member (RFC 1952); only the tail is compressed anew. */
export async function gzip(body: Body, tail: string): Promise<readonly Buffer[]> {
  const { stream, crc, length } = await body.compressed
  const last = Buffer.from(tail)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(last, crc), 0)
  trailer.writeUInt32LE((length + last.length) % 2 ** 32, 4)
  return [GZIP_HEADER, stream, deflateRawSync(last), trailer]
}
