import { promisify } from "node:util"
import { constants, crc32, deflateRaw } from "node:zlib"

const compress = promisify(deflateRaw)
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** Text that is answered many times: encoded once, and compressed once when somebody first asks for that. */
export class Body {
  readonly plain: Buffer
  #compressed: Promise<Buffer> | undefined

  constructor(text: string) {
    this.plain = Buffer.from(text)
  }

  /** A piece of a deflate stream that ends on a byte and is not the last one, so that another piece can follow. */
  get compressed(): Promise<Buffer> {
    this.#compressed ??= compress(this.plain, { level: 5, finishFlush: constants.Z_FULL_FLUSH })
    return this.#compressed
  }
}

/** The body and then the tail as one gzip member (RFC 1952); only the tail is compressed anew. */
export async function gzip(body: Body, tail: string): Promise<Buffer> {
  const tailBytes = Buffer.from(tail)
  const pieces = [await body.compressed, await compress(tailBytes)]
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(tailBytes, crc32(body.plain)), 0)
  trailer.writeUInt32LE((body.plain.length + tailBytes.length) % 2 ** 32, 4)
  return Buffer.concat([GZIP_HEADER, ...pieces, trailer])
}
