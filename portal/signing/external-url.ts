import { httpUrl, type Parse, Wrong } from "#core/config/settings.ts"

/** A URL that remembers how it was written: sites compare the issuer of tokens letter for letter. */
export class WrittenUrl extends URL {
  readonly written: string
  constructor(written: string) {
    super(written)
    this.written = written
  }
}

export const writtenUrl: Parse<WrittenUrl> = (value) => {
  const url = httpUrl(value)
  return url instanceof Wrong ? url : new WrittenUrl(value)
}
