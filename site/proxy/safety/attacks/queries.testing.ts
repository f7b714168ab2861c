import { QUERY, SHARED, TOKEN } from "../../testing.ts"
import { type Attack, raw } from "./testing.ts"

const E = encodeURIComponent
const OTHER = E('{__name__=~".+"}')

/** Queries for more than is shared, or that a program behind the proxy could read differently. */
export const QUERIES: readonly Attack[] = (
  [
    ["no query", "", 400],
    ["an empty match[]", "?match[]=", 400],
    ["a foreign selector", `?match[]=${OTHER}`, 403],
    ["a foreign selector after the shared one", `?${QUERY}&match[]=${OTHER}`, 403],
    ["a foreign selector before the shared one", `?match[]=${OTHER}&${QUERY}`, 403],
    ["a foreign selector under another spelling of match[]", `?${QUERY}&%6Datch%5b%5D=${OTHER}`, 403],
    ["match without brackets", `?${QUERY}&match=${OTHER}`, 400],
    ["match[0]", `?${QUERY}&match[0]=${OTHER}`, 400],
    ["MATCH[]", `?${QUERY}&MATCH[]=${OTHER}`, 400],
    ["match[] with a NUL", `?${QUERY}&match[]%00=${OTHER}`, 400],
    ["a thousand parameters before a foreign selector", `?${"a=&".repeat(1000)}match[]=${OTHER}`, 400],
    ["a hundred shared selectors before a foreign one", `?${`${QUERY}&`.repeat(100)}match[]=${OTHER}`, 403],
    ["more selectors than are served, and then a foreign one", `?${"match[]=a&".repeat(1024)}match[]=${OTHER}`, 400],
    ["an unknown parameter", `?${QUERY}&query=up`, 400],
    ["a token in the query", `?${QUERY}&access_token=${TOKEN}`, 400],
    ["a semicolon as separator", `?${QUERY};match[]=${OTHER}`, 400],
    ["a bad percent-encoding", `?${QUERY}%2`, 400],
    ["an overlong UTF-8 encoding", `?${QUERY}%c0%af`, 400],
    ["a lone surrogate in UTF-8", `?${QUERY}%ed%a0%80`, 400],
    ["a NUL", `?${QUERY}%00`, 400],
    ["a fragment", `?${QUERY}#x`, 400],
    ["an empty parameter", `?${QUERY}&`, 200],
    ["empty parameters before a foreign selector", `?${QUERY}&&=&match[]=${OTHER}`, 403],
    ["a parameter without a name", `?${QUERY}&=${OTHER}`, 400],
    ["another parameter without a value", `?${QUERY}&query=`, 400],
    ["a second question mark", `?${QUERY}?match[]=${OTHER}`, 400],
    ["a doubly encoded selector", `?match[]=${E(E(SHARED))}`, 400],
    ["the shared text inside a string", `?match[]=${E(`{a=${JSON.stringify(SHARED)}}`)}`, 403],
    ["the shared text inside a raw string", `?match[]=${E(`{a=\`${SHARED}\`}`)}`, 403],
    ["the shared text inside a comment", `?match[]=${E(`up#${SHARED}`)}`, 403],
    ["a comment that a carriage return ends", `?match[]=${E(`${SHARED}#\r{}`)}`, 400],
    ["a foreign selector after a comment", `?match[]=${E(`${SHARED}#\n{}`)}`, 400],
    ["a string with an escaped quote", `?match[]=${E('{job="project_usages\\"",__name__=~"project_.*_usage"}')}`, 403],
    ["an alternative of two selectors", `?match[]=${E(`${SHARED} or up`)}`, 400],
    ["a range", `?match[]=${E(`${SHARED}[5m]`)}`, 400],
    ["an offset", `?match[]=${E(`${SHARED} offset 1h`)}`, 400],
    ["a time", `?match[]=${E(`${SHARED} @ 0`)}`, 400],
    ["a quoted name", `?match[]=${E('{"up"}')}`, 403],
    ["a negative matcher", `?match[]=${E('{job!="project_usages"}')}`, 403],
    ["an empty matcher, which selects everything", `?match[]=${E('{nosuchlabel=""}')}`, 403],
    ["no matchers", `?match[]=${E("{}")}`, 403],
    ["fewer matchers", `?match[]=${E('{__name__=~"project_.*_usage"}')}`, 403],
    ["a wider expression", `?match[]=${E('{__name__=~"project_.*",job="project_usages"}')}`, 403],
    ["an expression that backtracks", `?match[]=${E('{__name__=~"(a+)+b",job="project_usages"}')}`, 403],
    ["a back reference", `?match[]=${E('{__name__=~"(project)_.*_usage\\\\1",job="project_usages"}')}`, 403],
    ["a look-around", `?match[]=${E('{__name__=~"(?=project).*",job="project_usages"}')}`, 403],
    ["a selector of 5,000 characters", `?match[]=${E(`{a="${"b".repeat(5000)}"}`)}`, 403],
  ] as const
).map(([name, query, status]) => ({ name, bytes: raw(`/federate${query}`), statuses: [status] }))
