/** One fault in production code that a test must notice. */
export interface Mutant {
  readonly file: string
  /** What no longer holds. */
  readonly breaks: string
  /** Stands once in the file. */
  readonly find: string
  readonly replace: string
  /** Test files or patterns; without, the unit tests beside the file. */
  readonly tests?: readonly string[]
}

export const mutants: readonly Mutant[] = [
  {
    file: "core/files/watch.ts",
    breaks: "a folder that was replaced is watched again",
    find: "if (folders.has(folder) && identityOf(folder) === identity) continue",
    replace: "if (folders.has(folder)) continue",
  },
  {
    file: "core/files/watch.ts",
    breaks: "files that were read anew are watched too",
    find: "      watchFolders() // first",
    replace: "      // first",
  },
  {
    file: "core/files/reload.ts",
    breaks: "a change between reading and watching is read",
    find: "if (watching.isOutdated()) ({ first, error } = await readFirst())",
    replace: "",
  },
  {
    file: "core/files/reload.ts",
    breaks: "a failed reload shows in the metric",
    find: "metrics?.successful.set(labels, 0)",
    replace: "metrics?.successful.set(labels, 1)",
  },
  {
    file: "core/files/reload.ts",
    breaks: "an emptied file is a fault",
    find: "if (faults.length > 0) throw new ConfigurationError(faults)",
    replace: "",
  },
  {
    file: "core/files/read-once.ts",
    breaks: "a pipe is read once",
    find: "known.set(file, content)",
    replace: "",
  },
  {
    file: "core/files/write-atomically.ts",
    breaks: "nothing is replaced before all is on disk",
    find: "await someAtOnce(staged, ({ temporary, ...one }) => writeWhole({ ...one, file: temporary }))",
    replace:
      "for (const { temporary, ...one } of staged) { await writeWhole({ ...one, file: temporary }); await rename(temporary, one.file); await writeWhole({ ...one, file: temporary }) }",
  },
  {
    file: "core/files/write-atomically.ts",
    breaks: "temporary files do not stay after a failure",
    find: "rm(temporary, { force: true })))",
    replace: "temporary))",
  },
  {
    file: "core/log/changes.ts",
    breaks: "the same state is logged once",
    find: "if (state === before) return",
    replace: "",
  },
  {
    file: "core/retry/backoff.ts",
    breaks: "the wait that a server asks for is kept",
    find: "Math.max(retryAfter, jitter(",
    replace: "Math.max(0, jitter(",
  },
  {
    file: "core/limits/token-bucket.ts",
    breaks: "tokens are not saved up beyond the burst",
    find: "Math.min(burst, tokens",
    replace: "Math.max(0, tokens",
  },
  {
    file: "core/limits/client-limits.ts",
    breaks: "requests in flight are counted back when they end",
    find: "return () => state.inFlight--",
    replace: "return () => state.inFlight",
  },
  {
    file: "core/limits/concurrency.ts",
    breaks: "work that runs for long is counted out once",
    find: "      inside = false\n",
    replace: "",
  },
  {
    file: "core/limits/verifications.ts",
    breaks: "valid signatures are not charged",
    find: "for (const bucket of taken) bucket.give()",
    replace: "",
  },
  {
    file: "core/http/accept-encoding.ts",
    breaks: "gzip;q=0 refuses gzip",
    find: "return (gzip ?? any) > 0",
    replace: "return (gzip ?? any) >= 0",
  },
  {
    file: "core/http/client.ts",
    breaks: "a response has a size limit",
    find: "if (bytes > most) throw",
    replace: "if (bytes > Infinity) throw",
  },
  {
    file: "core/http/connection-failure.ts",
    breaks: "an expired certificate is not an unknown authority",
    find: '  CERT_HAS_EXPIRED: "tls_expired",\n',
    replace: "",
  },
  {
    file: "core/http/connections.ts",
    breaks: "one request of a connection is handled at a time",
    find: "if (connection.current === undefined) return begin",
    replace: "if (connection.waiting.length === 0) return begin",
    tests: ["core/http/connections.test.ts"],
  },
  {
    file: "core/http/connections.ts",
    breaks: "no more than some requests wait on a connection",
    find: "connection.waiting.length < MOST_WAITING && connection.bytesWaiting <= MOST_BYTES_WAITING",
    replace: "connection !== undefined",
    tests: ["core/http/connections.test.ts"],
  },
  {
    file: "core/http/handshakes.ts",
    breaks: "a handshake ends in time however it trickles",
    find: "}, seconds * 1000)",
    replace: "}, seconds * 1_000_000)",
    tests: ["core/http/handshakes.test.ts"],
  },
  {
    file: "core/http/malformed.ts",
    breaks: "two hosts are refused",
    find: "return count === 1 ||",
    replace: "return count >= 1 ||",
    tests: ["core/http/malformed.test.ts"],
  },
  {
    file: "core/http/web/server-context.ts",
    breaks: "the issuing authority alone is enough",
    find: "if (identifies) allowPartialTrustChain(server)",
    replace: "",
    tests: ["core/http/web/client-trust.test.ts"],
  },
  {
    file: "core/http/web/server-context.ts",
    breaks: "sessions are not resumed",
    find: "{ secureOptions: constants.SSL_OP_NO_TICKET }",
    replace: "{}",
    tests: ["core/http/web/client-trust.test.ts"],
  },
  {
    file: "core/http/web/reload.ts",
    breaks: "the last user stays until a restart",
    find: "if (current.users.size > 0 && next.users.size === 0) {",
    replace: "if (false) {",
    tests: ["core/http/web/reload.test.ts"],
  },
  {
    file: "core/http/tls-files.ts",
    breaks: "renewed certificates are used",
    find: "if (known?.content === content) return known.agent",
    replace: "if (known !== undefined) return known.agent",
  },
  {
    file: "core/promql/authorize.ts",
    breaks: "one selector that is not shared refuses the request",
    find: 'if (typeof verdict === "string") return { allowed: false, selector, reason: verdict }',
    replace: 'if (typeof verdict === "string") continue',
  },
  {
    file: "core/promql/judge.ts",
    breaks: "shared matchers are added only where enforce is set",
    find: "if (!enforce || ",
    replace: "if (",
  },
  {
    file: "core/auth/authenticate.ts",
    breaks: "a second Authorization header is refused",
    find: "if (more.length > 0) return",
    replace: "if (false) return",
  },
  {
    file: "core/auth/authenticate.ts",
    breaks: "a token ends when it says",
    find: "now >= notAfter",
    replace: "now > notAfter",
  },
  {
    file: "core/auth/certificates.ts",
    breaks: "an expired certificate proves nothing on an open connection",
    find: "if (now >= certificate.validToDate) {",
    replace: "if (false) {",
  },
  {
    file: "core/auth/jwt/issuer.ts",
    breaks: "a verified token ends with the keys that verified it",
    find: "if (kept.key === keys.current() && now",
    replace: "if (now",
  },
  {
    file: "core/auth/jwt/issuer.ts",
    breaks: "tokens of another type are refused",
    find: "if (!TYPES.includes(",
    replace: "if (TYPES.length === 0 && !TYPES.includes(",
  },
  {
    file: "core/response-cache/cache.ts",
    breaks: "a response is never served older than allowed",
    find: ">= entry.reuse) return undefined",
    replace: "> 2 * entry.reuse) return undefined",
  },
  {
    file: "core/response-cache/growing.ts",
    breaks: "memory of a response is given back when its last reader is done",
    find: "else this.#giveAll()",
    replace: "else this.held = 0",
  },
  {
    file: "core/response-cache/memory.ts",
    breaks: "a client that holds less loses nothing for one that holds more",
    find: "share <= own || ",
    replace: "",
  },
  {
    file: "core/promql/narrow.ts",
    breaks: "a claim that is beyond the ceiling is not granted where matchers are added to requests",
    find: "{ ...ceiling, enforce: false }",
    replace: "ceiling",
    tests: ["core/federation/narrow-client.test.ts"],
  },
  {
    file: "core/promql/decider.ts",
    breaks: "a thread that cannot be started costs no client anything",
    find: "if (!ready) return failToStart(",
    replace: "if (false) return failToStart(",
  },
  {
    file: "core/promql/decider.ts",
    breaks: "a thread compares with the selectors of the client whose request it is",
    find: "shared === sent ? undefined",
    replace: "sent !== undefined ? undefined",
  },
  {
    file: "core/kubernetes/watch-objects.ts",
    breaks: "a version that the API has forgotten is listed anew",
    find: "known.statusCode === 410 || ",
    replace: "",
  },
  {
    file: "core/kubernetes/lease.ts",
    breaks: "a lease is taken over only when it has expired",
    find: 'if (holder !== "" && holder !== identity && !expired) return undefined',
    replace: "",
  },
  {
    file: "core/kubernetes/lease.ts",
    breaks: "a lease is renewed by one request, for which a slow API has time",
    find: "term !== undefined && written !== undefined ? renew(written) : readAndHold()",
    replace: "readAndHold()",
  },
  {
    file: "core/kubernetes/lease.ts",
    breaks: "a lease that conflicts for ever is waited for",
    find: "if (attempt === ATTEMPTS) throw error",
    replace: "",
  },
  {
    file: "core/kubernetes/events.ts",
    breaks: "the name of an Event is one that Kubernetes takes",
    find: '.replace(/[-.]+$/, "")',
    replace: "",
  },
  {
    file: "core/kubernetes/events.ts",
    breaks: "a repeated Event becomes one with a count",
    find: "const key = JSON.stringify([uid",
    replace: "const key = JSON.stringify([time.getTime(), uid",
  },
  {
    file: "core/kubernetes/events.ts",
    breaks: "Events that wait for the API are bounded",
    find: "waiting >= MOST_WAITING",
    replace: "waiting < 0",
  },
  {
    file: "core/kubernetes/credentials.ts",
    breaks: "credentials are not sent unencrypted to another machine",
    find: 'url.protocol === "http:" && !isLoopback',
    replace: "false && !isLoopback",
  },
]
