/** Whatever a component hands out rights to. */
export interface Owner {
  /** For the log and for messages. */
  readonly name: string
}

/** Who sends a request, and until when (milliseconds since 1970) that holds without authenticating again. */
export interface Identity<O extends Owner> {
  readonly owner: O
  readonly validUntil: number
}

/** Why a request was not authenticated, for the log; the client learns only that it was refused. */
export interface Refusal {
  readonly reason: string
  /** The token was not verified and may be valid; too many others were not. */
  readonly throttled?: boolean
  /** It will be the same for every request on this connection: it is to be closed, so that the client comes with another. */
  readonly ofConnection?: boolean
}

export type Authentication<O extends Owner> = Identity<O> | Refusal
