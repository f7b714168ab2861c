import { Faults } from "#core/config/faults.ts"
import {
  between,
  duration,
  httpUrl,
  inGroup,
  setting,
  settings,
  size,
  text,
  trimmed,
  type Values,
  whole,
} from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import type { ForwardBounds } from "./bounds.ts"
import { header } from "./header-setting.ts"

const bytes = between(size, 2 ** 20, 2 ** 40, "from 1MiB to 1024GiB")

export const forwardSettings = {
  ...inGroup("Upstreams", {
    upstreamUrls: settings(
      httpUrl,
      {
        flag: "--ingester-upstream-url <url>",
        help: "Send the tenants' requests to this URL, as it stands; may be repeated: the next where one fails",
      },
      ["http://127.0.0.1:5000"],
    ),
    upstreamTokenFile: setting(text, {
      flag: "--upstream.token-file <file>",
      help: "Send upstreams the bearer token in this file, which is read again when it changes",
    }),
    upstreamUsername: setting(text, {
      flag: "--upstream.username <name>",
      help: "Sign in to upstreams as this user, with --upstream.password-file",
    }),
    upstreamPasswordFile: setting(text, {
      flag: "--upstream.password-file <file>",
      help: "Read that user's password from this file; read again when it changes",
    }),
    upstreamCaFile: setting(text, {
      flag: "--upstream.ca-file <file>",
      help: "Trust these certificates of upstreams, in place of the public ones",
    }),
    upstreamServerName: setting(trimmed, {
      flag: "--upstream.server-name <name>",
      help: "Expect this name in upstreams' certificates, in place of the host of the URL",
    }),
    upstreamCertFile: setting(text, {
      flag: "--upstream.cert-file <file>",
      help: "Present this client certificate to upstreams, with --upstream.key-file",
    }),
    upstreamKeyFile: setting(text, {
      flag: "--upstream.key-file <file>",
      help: "Read the private key of that certificate from this file",
    }),
    upstreamHeaders: settings(
      header,
      {
        flag: "--upstream.header <name: value>",
        help: "Add this header to all requests to upstreams; may be repeated. No secrets",
        separator: "\n",
      },
      [],
    ),
  }),
  ...inGroup("Requests to upstreams", {
    parallel: setting(
      whole(1, 10_000),
      {
        flag: "--max-parallel-request-per-load <number>",
        help: "Send at most so many upstream requests at once, without those of tenants whose upstream is slow",
      },
      "64",
    ),
    parallelOfTenant: setting(
      whole(1, 10_000),
      {
        flag: "--upstream.parallel-per-tenant <number>",
        help: "Send at most so many of one tenant at once; what waits meanwhile shares the next request",
      },
      "2",
    ),
    sharedElements: setting(
      whole(0, 1_000_000),
      {
        flag: "--upstream.samples-per-shared-request <number>",
        help: "Send what waits of several senders in one request of up to so many samples; 0: never",
      },
      "10000",
    ),
    upstreamTimeout: setting(
      duration(1, 3600),
      {
        flag: "--upstream.timeout <duration>",
        help: "End an upstream request after this time; with the time in the queue, less than senders wait",
      },
      "20s",
    ),
    queueTimeout: setting(
      duration(1, 3600),
      {
        flag: "--upstream.queue-timeout <duration>",
        help: "Refuse (503) what waited so long for its upstream request",
      },
      "5s",
    ),
    queueBytes: setting(
      bytes,
      {
        flag: "--upstream.queue-bytes <size>",
        help: "Refuse (503) more than this that waits for upstream requests, uncompressed",
      },
      "64MiB",
    ),
    queueBytesOfTenant: setting(
      bytes,
      {
        flag: "--upstream.queue-bytes-per-tenant <size>",
        help: "Refuse (503) more than this of one tenant that waits",
      },
      "16MiB",
    ),
  }),
}

export type ForwardSettings = Values<typeof forwardSettings>

export type ForwardConfig = ReturnType<typeof forwardConfig>

/** Throws UsageError. */
export function forwardConfig(values: ForwardSettings) {
  const { upstreamTokenFile: token, upstreamUsername: username, upstreamPasswordFile: passwordFile } = values
  const { upstreamCaFile: ca, upstreamCertFile: cert, upstreamKeyFile: key, upstreamUrls: urls } = values
  const faults = new Faults()
  if ((username === undefined) !== (passwordFile === undefined))
    faults.add("--upstream.username", "must be given together with --upstream.password-file")
  if (username?.includes(":") === true) faults.add("--upstream.username", "must hold no colon")
  if (token !== undefined && username !== undefined)
    faults.add("--upstream.token-file", "cannot be given together with --upstream.username")
  if ((cert === undefined) !== (key === undefined))
    faults.add("--upstream.cert-file", "must be given together with --upstream.key-file")
  if ((ca ?? cert) !== undefined && urls.every(({ protocol }) => protocol === "http:"))
    faults.add(ca === undefined ? "--upstream.cert-file" : "--upstream.ca-file", "has no effect with http:// URLs")
  const names = values.upstreamHeaders.map(([name]) => name)
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index) faults.add("--upstream.header", `is given twice for ${name}`)
  if (new Set(urls.map(({ href }) => href)).size < urls.length)
    faults.add("--ingester-upstream-url", "names the same URL twice")
  faults.orThrow(UsageError)
  const bounds: ForwardBounds = {
    parallel: values.parallel,
    parallelSlow: PARALLEL_SLOW,
    parallelOfTenant: values.parallelOfTenant,
    slowAfter: SLOW_AFTER,
    waitingBytes: values.queueBytes,
    waitingBytesOfTenant: values.queueBytesOfTenant,
    waitingSeconds: values.queueTimeout,
    timeout: values.upstreamTimeout,
    sharedElements: values.sharedElements,
    tenants: MOST_TENANTS,
  }
  const basicAuth = username === undefined || passwordFile === undefined ? undefined : { username, passwordFile }
  const credentials = { token, basicAuth, ca, cert, key, serverName: values.upstreamServerName }
  return { urls, headers: values.upstreamHeaders.flat(), credentials, bounds }
}

/** Seconds: writes are mostly over in a few milliseconds. */
const SLOW_AFTER = 1
/** Each is a connection and a few kB. */
const PARALLEL_SLOW = 1024
const MOST_TENANTS = 10_000
