import { type Attack, CLOSE, PATH, TOKEN, raw } from "./request.ts"

/** Requests without the token, or with it in a place or form that is none. */
export const TOKENS: readonly Attack[] = (
  [
    ["no token", []],
    ["an empty header", ["Authorization: "]],
    ["an empty token", ["Authorization: Bearer "]],
    ["no scheme", [`Authorization: ${TOKEN}`]],
    ["another scheme", [`Authorization: Basic ${TOKEN}`]],
    ["two spaces", [`Authorization: Bearer  ${TOKEN}`]],
    ["a tab", [`Authorization: Bearer\t${TOKEN}`]],
    ["a prefix of the token", [`Authorization: Bearer ${TOKEN.slice(0, -1)}`]],
    ["the token and more", [`Authorization: Bearer ${TOKEN}a`]],
    ["the token and what no token holds", [`Authorization: Bearer ${TOKEN}!`]],
    ["the token and another word", [`Authorization: Bearer ${TOKEN} x`]],
    ["the token and padding", [`Authorization: Bearer ${TOKEN}=`]],
    ["another case", [`Authorization: Bearer ${TOKEN.toUpperCase()}`]],
    ["a percent-encoded token", [`Authorization: Bearer ${TOKEN.replace("r", "%72")}`]],
    ["a quoted token", [`Authorization: Bearer "${TOKEN}"`]],
    ["a list of tokens", [`Authorization: Bearer wrong, Bearer ${TOKEN}`]],
    ["__proto__", ["Authorization: Bearer __proto__"]],
    ["constructor", ["Authorization: Bearer constructor"]],
    ["undefined", ["Authorization: Bearer undefined"]],
    ["the right header twice", [`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${TOKEN}`]],
    ["a wrong header after the right one", [`Authorization: Bearer ${TOKEN}`, "authorization: Bearer wrong"]],
    ["a wrong header before the right one", ["Authorization: Bearer wrong", `AUTHORIZATION: Bearer ${TOKEN}`]],
    ["another header", [`X-Authorization: Bearer ${TOKEN}`, `Proxy-Authorization: Bearer ${TOKEN}`]],
    // oauth2-proxy CVE-2025-64484: a program that reads headers as variables takes _ and - for the same
    [
      "a header with an underscore (CVE-2025-64484)",
      [`Authorization_: Bearer ${TOKEN}`, `HTTP_AUTHORIZATION: ${TOKEN}`],
    ],
    ["a cookie", [`Cookie: authorization=Bearer ${TOKEN}`]],
    [
      "who a proxy in front says it is",
      ["X-Forwarded-User: portal", "X_Forwarded_User: portal", "Remote-User: portal"],
    ],
    ["where a proxy in front says it comes from", ["X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1"]],
    ["a health check's user agent (CVE-2026-34457)", ["User-Agent: GoogleHC/1.0"]],
    ["another target that a proxy in front names (CVE-2026-40575)", ["X-Forwarded-Uri: /-/healthy"]],
  ] as const
).map(([name, headers]) => ({
  name: `${name} for a token`,
  bytes: raw(PATH, ["Host: x", ...headers, CLOSE]),
  statuses: [401],
}))
