/** Shorter ones stand in any text by chance, and would be found out by what is left of it. */
const SHORTEST_SECRET = 6

/** What a server sent may repeat what it was sent, or steer the terminal. */
export const withoutSecrets = (text: string, secrets: readonly (string | undefined)[]): string =>
  secrets
    .reduce<string>(
      (shown, secret = "") => (secret.length < SHORTEST_SECRET ? shown : shown.replaceAll(secret, "…")),
      text,
    )
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
