/** Why a text cannot be sent as a bearer token, without repeating it; undefined where it can. */
export function faultOfToken(token: string): string | undefined {
  if (token === "") return "is empty; it must hold the token"
  if (/[\r\n]/.test(token)) return "has several lines; it must hold the token and nothing else"
  if (!/^[\x21-\x7e]+$/.test(token)) return "holds characters that a token cannot have: only visible ASCII, no spaces"
  return undefined
}
