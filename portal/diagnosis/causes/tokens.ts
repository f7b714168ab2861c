import { between, causes } from "./entry.ts"

const reasonIn = (text: string) => {
  const { status, error } =
    /cannot fetch token: (?<status>[^{]{1,60}) Response: \{"error": ?"(?<error>\w{1,40})/.exec(text)?.groups ?? {}
  return {
    server: between(text, 'Post "', '"'),
    reason: error === undefined ? (between(text, '": ') ?? between(text, "oauth2: ")) : `${status ?? ""} (${error})`,
  }
}

/** What the portal is to send: files of tokens, and OAuth2 servers. */
export const TOKENS = causes({
  portal_token_bad: {
    title: "token unusable",
    sentence: "The token file holds characters that no header can carry.",
    todo: "It must be one line of visible ASCII; fedstack check sites names the file[ (sites.yaml, line {line})].",
    stage: "token",
    beyondProbe: true, // what Prometheus reads may differ from what the portal wrote
    texts: [{ has: ["invalid header field value"] }],
    example: { line: "12" },
  },
  token_endpoint: {
    title: "no OAuth2 token",
    sentence: "The token server[ {server}] gave no token[: {reason}].",
    todo: "Check the token server and oauth2 in sites.yaml[, line {line}]; the site itself was not requested.",
    stage: "token",
    texts: [
      { has: ["oauth2: "], take: reasonIn },
      { has: ['Post "'], take: reasonIn },
      { has: ["invalid character ", " looking for beginning of value"], take: (text) => ({ reason: text }) },
    ],
    example: {
      server: "https://login.example.org/oauth2/token",
      reason: '"invalid_client" "unknown client"',
      line: "12",
    },
  },
  token_endpoint_hangs: {
    title: "token server hangs",
    sentence:
      "Prometheus waits for an OAuth2 token without a deadline; it no longer scrapes this site and cannot be stopped.",
    todo: "Restart the token server, then Prometheus. Do not use oauth2 where the token server can hang.",
    stage: "token",
    seenBy: "oauth2 is configured, and the target's health stays `unknown` for more than two intervals",
    beyondProbe: true,
    example: {},
  },
})
