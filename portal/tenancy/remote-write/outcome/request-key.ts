import { createHash } from "node:crypto"
import type { Version } from "../message/version.ts"

/** By which a resend is recognised: the same sender, version and bytes. The hash is computed when it is needed, once. */
export class RequestKey {
  readonly sender: string
  readonly version: Version
  readonly #body: Buffer
  #hash: string | undefined

  constructor(sender: string, version: Version, body: Buffer) {
    this.sender = sender
    this.version = version
    this.#body = body
  }

  get length(): number {
    return this.#body.length
  }

  get hash(): string {
    // nobody must be able to make a body whose hash is that of another
    return (this.#hash ??= `${this.version} ${createHash("sha256").update(this.#body).digest("base64")}`)
  }
}
