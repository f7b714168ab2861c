/** By which tokens are signed (RFC 7518, RFC 8037). Apart from the keys: a help text needs no cryptography. */
export const ALGORITHMS = ["ES256", "Ed25519"] as const
export type Algorithm = (typeof ALGORITHMS)[number]
