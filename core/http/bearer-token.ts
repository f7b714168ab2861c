/** Why a text cannot be sent as a bearer token, without repeating it; undefined where it can. */
export function faultOfToken(token: string): string | undefined {
  if (token === "") return "is empty; it must hold the token"
  if (/[\r\n]/.test(token)) return "has several lines; it must hold the token and nothing else"
  if (!/^[\x21-\x7e]+$/.test(token)) return "holds characters that a token cannot have: only visible ASCII, no spaces"
  return undefined
}

/** The same for a password or another secret, which may be any line without white space around it, as Prometheus trims it. */
export function faultOfPassword(text: string): string | undefined {
  if (text === "") return "is empty; it must hold the secret"
  if (/[\r\n]/.test(text)) return "has several lines; it must hold the secret and nothing else"
  if (text !== text.trim() || /\p{Cc}/u.test(text)) return "begins or ends with a space, or holds control characters"
  return undefined
}
