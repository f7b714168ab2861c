/** Why containment cannot be decided: beyond the supported syntax or beyond the bounds. The message fits after a colon. */
export class Undecidable extends Error {
  override readonly name: string = "Undecidable"
}

/** It is no RE2 at all: Prometheus refuses it too. */
export class InvalidRegex extends Undecidable {
  override readonly name = "InvalidRegex"
}
