import { randomBytes } from "node:crypto"
import type { Context } from "#core/component.ts"
import { didYouMean, meant } from "#core/config/nearest.ts"
import type { Values } from "#core/config/settings.ts"
import { ConfigurationError, type Fault, UsageError } from "#core/errors.ts"
import { type ReadText, readText } from "#core/files/read-text.ts"
import type { ProbeTarget } from "../diagnosis/probe/visit.ts"
import { limitsOf, loadSites } from "../federation/sites.ts"
import type { doctorSettings } from "./settings.ts"

export type DoctorValues = Values<typeof doctorSettings>

/** The sites that are to be checked. Throws UsageError, and ConfigurationError where their files are faulty. */
export function targetsOf(values: DoctorValues, site: string, env: Context["env"]): readonly ProbeTarget[] {
  refuseMixtures(values, site)
  return values.url === undefined ? fromFile(values, site, env) : fromFlags(values, values.url, env)
}

const OF_A_URL = {
  tokenFile: "--token-file",
  match: "--match",
  caFile: "--ca-file",
  serverName: "--server-name",
  certFile: "--cert-file",
  keyFile: "--key-file",
} as const

function refuseMixtures(values: DoctorValues, site: string): void {
  const { all, url } = values
  const targets = [site !== "", all, url !== undefined].filter(Boolean).length
  const refuse = (where: string, message: string): never => {
    throw new UsageError([{ where, message }])
  }
  if (targets === 0)
    refuse("fedstack doctor", "needs the name of a site, --all or --url; its --help has an example of each")
  if (targets > 1) refuse("fedstack doctor", "takes only one of: the name of a site, --all, --url")
  if (url !== undefined) return
  const given = Object.entries(OF_A_URL).find(([name]) => {
    const value = values[name as keyof typeof OF_A_URL]
    return value !== undefined && value.length > 0
  })
  if (given !== undefined) refuse(given[1], "belongs to --url; a site of the file has its own in sites.yaml")
}

function fromFile({ sitesFile, all }: DoctorValues, name: string, env: Context["env"]): readonly ProbeTarget[] {
  const { targets, pushing } = load(sitesFile, readText, env)
  if (all) return targets
  const target = targets.find(({ site }) => site.name === name)
  if (target !== undefined) return [target]
  if (pushing.includes(name)) {
    const message = `${name} pushes: it is not requested, so there is nothing to check here; its page shows when it last wrote`
    throw new UsageError([{ where: sitesFile, message }])
  }
  const names = targets.map(({ site }) => site.name)
  const message = `has no site ${JSON.stringify(name)}${didYouMean(meant(name, names))}`
  throw new UsageError([{ where: sitesFile, message }])
}

function load(file: string, read: ReadText, env: Context["env"]) {
  const { sites, pushing, limits, files } = loadSites(file, { env, key: randomBytes(32), read })
  const contents = new Map(files.map(({ path, content }) => [path, content]))
  const targets = sites.map((site): ProbeTarget => ({ site, limits: limitsOf(site, limits), contents, others: sites }))
  return { targets, pushing: pushing.map(({ name }) => name) }
}

/** Stands for the flags where a file is expected. It lies where paths of flags begin. */
const FLAGS = "flags"

/** By the same rules as an entry of sites.yaml. */
function fromFlags(values: DoctorValues, url: string, env: Context["env"]): readonly ProbeTarget[] {
  const { tokenFile, match, caFile, serverName, certFile, keyFile } = values
  const tls = { ca_file: caFile, server_name: serverName, cert_file: certFile, key_file: keyFile }
  const entry = {
    name: "site",
    url,
    ...(match.length === 0 ? {} : { match }),
    ...(tokenFile === undefined ? {} : { token: { file: tokenFile } }),
    ...(Object.values(tls).every((value) => value === undefined) ? {} : { tls }),
  }
  const text = JSON.stringify({ sites: [entry] })
  try {
    const { targets } = load(FLAGS, (file, where) => (file === FLAGS ? text : readText(file, where)), env)
    return targets.map((target) => ({ ...target, site: { ...target.site, where: "" } }))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError(error.faults.map(ofFlag))
  }
}

const FLAG_OF_KEY: readonly (readonly [key: RegExp, flag: string])[] = [
  [/\.token\b/, "--token-file"],
  [/\.match\b/, "--match"],
  [/\.tls\.ca_file/, "--ca-file"],
  [/\.tls\.server_name/, "--server-name"],
  [/\.tls\.key_file/, "--key-file"],
  [/\.tls\b/, "--cert-file"],
  [/\.url\b/, "--url"],
]

function ofFlag({ where, message }: Fault): Fault {
  const flag = FLAG_OF_KEY.find(([key]) => key.test(where))?.[1]
  if (flag !== undefined)
    return { where: flag, message: message.replace("cert_file and key_file", "--cert-file and --key-file") }
  // the entry as a whole
  return {
    where: "fedstack doctor",
    message: "needs --token-file, or a client certificate: --cert-file and --key-file",
  }
}
