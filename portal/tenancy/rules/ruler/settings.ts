import { duplicates, Faults } from "#core/config/faults.ts"
import {
  duration,
  httpUrl,
  inGroup,
  oneOf,
  type Parse,
  setting,
  settings,
  text,
  tracked,
  trimmed,
  type Values,
  whole,
  Wrong,
} from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { FEATURE_FLAGS, type FeatureFlag, featureFlags, TARGET_NAMES, type TargetName } from "../validation/target.ts"
import type { RulerConfig } from "./open-ruler.ts"
import { RULER_TYPES, type RulerType } from "./paths.ts"

/** Of a ruler, without what would have no meaning there. */
export const rulerUrl: Parse<URL> = (value) => {
  const url = httpUrl(value)
  if (!(url instanceof Wrong) && (url.search !== "" || url.hash !== ""))
    return new Wrong("must not have a query or a fragment; a path prefix is fine")
  return url
}

/** Of Mimir; empty: none. */
export const httpPrefix: Parse<string> = (value) =>
  value === "" || /^(?:\/[\w.~!$&'()*+,;=:@%-]+)+\/?$/.test(value)
    ? value
    : new Wrong("must be a path such as /prometheus")

export const MIMIR_PREFIX = "/prometheus"
export const TARGETS: Readonly<Record<RulerType, TargetName>> = { cortex: "cortex-1.21", mimir: "mimir" }

/** A ruler, as what its groups are validated, and whose rules it has (undefined: those of all tenants). */
export interface RulerSetup extends RulerConfig {
  readonly target: TargetName
  /** That are set there. */
  readonly features: readonly FeatureFlag[]
  readonly tenants?: readonly TenantId[] | undefined
}

interface NamedUrl {
  readonly name: string | undefined
  readonly url: URL
}

/** `URL` or `NAME=URL`. */
const namedUrl: Parse<NamedUrl> = (value) => {
  const [, name, rest = value] = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,62})=(.*)$/.exec(value.trim()) ?? []
  const url = rulerUrl(rest)
  return url instanceof Wrong ? new Wrong(`${url.reason}, or NAME=URL with such a URL`) : { name, url }
}

/** The rulers of Cortex or Mimir, all of which get all rules. */
export const rulerSettings = {
  ...inGroup("Rulers", {
    rulerUpstreamUrls: tracked(
      settings(
        namedUrl,
        {
          flag: "--ruler-upstream-url <url>",
          help: "Write rules to the ruler at this URL; may be repeated as NAME=URL: each gets all rules",
        },
        ["http://127.0.0.1:8080/"],
      ),
    ),
    rulersFile: setting(text, {
      flag: "--rulers <file>",
      help: "Read rulers from this file, each with its own settings, again whenever it changes",
    }),
    distributorUpstreamUrl: setting(rulerUrl, {
      flag: "--distributor-upstream-url <url>",
      help: "Request the list of tenants here where a ruler has none",
      defaultText: "the URL of the ruler",
    }),
    rulerType: setting(
      oneOf(RULER_TYPES),
      { flag: "--ruler.type <type>", help: "Use the paths of cortex or mimir" },
      "cortex",
    ),
    rulerPrefix: setting(
      httpPrefix,
      { flag: "--ruler.prometheus-http-prefix <path>", help: "Mimir's option of this name" },
      MIMIR_PREFIX,
    ),
    rulerTarget: setting(oneOf(TARGET_NAMES), {
      flag: "--ruler.target <name>",
      help: `Validate rules for this: ${TARGET_NAMES.join(", ")}`,
      defaultText: "cortex-1.21 or mimir, by the type",
    }),
    rulerFeatures: settings(
      featureFlags,
      {
        flag: "--ruler.enable-feature <flags>",
        help: `Expect these features to be on there, separated by commas: ${FEATURE_FLAGS.join(", ")}`,
      },
      [],
    ),
    rulerTimeout: setting(
      duration(1, 3600),
      { flag: "--ruler.timeout <duration>", help: "End a request to a ruler after this time" },
      "30s",
    ),
    rulerMaxGroups: setting(whole(1, 1_000_000), {
      flag: "--ruler.max-groups-per-tenant <number>",
      help: "Expect the ruler to take so many groups of a tenant",
      defaultText: "what the ruler reports, if it does",
    }),
    rulerMaxRules: setting(whole(1, 1_000_000), {
      flag: "--ruler.max-rules-per-group <number>",
      help: "Expect the ruler to take so many rules in a group",
      defaultText: "what the ruler reports, if it does",
    }),
  }),
  ...inGroup("Credentials of rulers", {
    rulerTokenFile: setting(text, {
      flag: "--ruler.token-file <file>",
      help: "Send rulers the bearer token in this file, which is read again when it changes",
    }),
    rulerUsername: setting(text, {
      flag: "--ruler.username <name>",
      help: "Sign in to rulers as this user, with --ruler.password-file",
    }),
    rulerPasswordFile: setting(text, {
      flag: "--ruler.password-file <file>",
      help: "Read that user's password from this file; read again when it changes",
    }),
    rulerCaFile: setting(text, {
      flag: "--ruler.ca-file <file>",
      help: "Trust these certificates of rulers, in place of the public ones",
    }),
    rulerServerName: setting(trimmed, {
      flag: "--ruler.server-name <name>",
      help: "Expect this name in rulers' certificates, in place of the host of the URL",
    }),
    rulerCertFile: setting(text, {
      flag: "--ruler.cert-file <file>",
      help: "Present this client certificate to rulers, with --ruler.key-file",
    }),
    rulerKeyFile: setting(text, {
      flag: "--ruler.key-file <file>",
      help: "Read the private key of that certificate from this file",
    }),
  }),
}

export type RulerValues = Values<typeof rulerSettings>

/** The name of the only ruler, which stands in the ledger: another URL is not another ruler. */
const ONLY = "ruler"

/** Throws UsageError with every fault. */
export function rulerConfigs(values: RulerValues): readonly RulerSetup[] {
  const { rulerType: type, distributorUpstreamUrl: distributor } = values
  const urls = values.rulerUpstreamUrls.value
  const { rulerTokenFile: token, rulerUsername: username, rulerPasswordFile: passwordFile } = values
  const { rulerCaFile: ca, rulerCertFile: cert, rulerKeyFile: key } = values
  const faults = new Faults()
  if (urls.length > 1 && urls.some(({ name }) => name === undefined))
    faults.add("--ruler-upstream-url", "needs a name for each of several rulers, as NAME=URL: the ledger has it")
  for (const [{ name = "" }] of duplicates(urls, (one) => one.name))
    faults.add("--ruler-upstream-url", `has the name ${name} twice`)
  for (const [{ url }] of duplicates(urls, (one) => one.url.href))
    faults.add("--ruler-upstream-url", `has the URL ${url.href} twice`)
  if ((username === undefined) !== (passwordFile === undefined))
    faults.add("--ruler.username", "must be given together with --ruler.password-file")
  if (username?.includes(":") === true) faults.add("--ruler.username", "must hold no colon")
  if (token !== undefined && username !== undefined)
    faults.add("--ruler.token-file", "cannot be given together with --ruler.username")
  if ((cert === undefined) !== (key === undefined))
    faults.add("--ruler.cert-file", "must be given together with --ruler.key-file")
  if ((ca ?? cert) !== undefined && urls.every(({ url }) => url.protocol === "http:"))
    faults.add(ca === undefined ? "--ruler.cert-file" : "--ruler.ca-file", "has no effect with http:// URLs")
  if (values.rulersFile !== undefined && !values.rulerUpstreamUrls.isDefault)
    faults.add("--rulers", `is set beside ${values.rulerUpstreamUrls.source}; set only one of the two`)
  faults.orThrow(UsageError)
  const basicAuth = username === undefined || passwordFile === undefined ? undefined : { username, passwordFile }
  return urls.map(({ name = ONLY, url }) => ({
    ...{ name, url, distributor: distributor ?? url, type, prefix: values.rulerPrefix, timeout: values.rulerTimeout },
    target: values.rulerTarget ?? TARGETS[type],
    features: values.rulerFeatures.flat(),
    limits: { groups: values.rulerMaxGroups, rulesPerGroup: values.rulerMaxRules },
    credentials: { token, basicAuth, ca, cert, key, serverName: values.rulerServerName },
  }))
}
