import { readText } from "#core/files/read-text.ts"
import { Faults } from "#core/config/faults.ts"
import { ConfigurationError } from "#core/errors.ts"
import { accessOf } from "./access.ts"
import type { Api } from "./api.ts"
import { readClouds } from "./clouds-yaml.ts"
import { type CloudSettings, settingsOfVariables } from "./cloud-settings.ts"
import { parseOpenrc } from "./openrc.ts"

export interface RegionOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file of OS_* variables; they win over those of the environment. */
  readonly openrc: string | undefined
  /** Clouds of clouds.yaml; none: as the variables say. */
  readonly clouds: readonly string[]
  /** None: as the variables or clouds.yaml say. */
  readonly regions: readonly string[]
}

/** One region of one cloud, and where its settings are read, anew each time. */
export interface CloudRegion extends Pick<Api, "cloud" | "region"> {
  readonly settings: () => Promise<CloudSettings>
}

/** Every region of every cloud that flags, variables and clouds.yaml name. Throws ConfigurationError if there is none. */
export async function regionsOf(options: RegionOptions): Promise<readonly CloudRegion[]> {
  const env = variablesOf(options)
  const readVariables = (variables: RegionOptions["env"]): CloudSettings =>
    settingsOfVariables(variables, options.openrc ?? "the environment")
  const named = options.clouds.length > 0 ? options.clouds : split(env.OS_CLOUD)
  const regions = options.regions.length > 0 ? options.regions : split(env.OS_REGION_NAME)
  if (named.length === 0 && (readVariables(env).has("auth_url") || options.openrc !== undefined))
    // what is read later is read anew
    return expand(undefined, regions, () => () => Promise.try(() => readVariables(variablesOf(options))))
  const clouds = await readClouds(env)
  if (clouds === undefined)
    throw noCloud(options.clouds.length > 0 ? "--os-cloud" : "OS_CLOUD", named, readVariables(env))
  const [only, ...others] = clouds.names
  if (named.length === 0 && (only === undefined || others.length > 0)) {
    const message = `has ${clouds.names.length} clouds: ${clouds.names.toSorted().join(", ")}. Set OS_CLOUD or --os-cloud to those that are wanted`
    throw new ConfigurationError([{ where: clouds.path, message }])
  }
  return [...new Set(named.length > 0 ? named : [only ?? ""])].flatMap((cloud) => {
    const known = clouds.regionsOf(cloud)
    const unknown = regions.find((region) => known.length > 1 && !known.includes(region))
    if (unknown !== undefined && named.length < 2) {
      const message = `cloud ${cloud} has no region ${unknown}. It has ${known.join(", ")}`
      throw new ConfigurationError([{ where: clouds.path, message }])
    }
    const wanted = regions.length > 0 ? regions : known
    return expand(cloud, wanted, (region) => async () => ((await readClouds(env)) ?? clouds).settingsOf(cloud, region))
  })
}

function expand(
  cloud: string | undefined,
  regions: readonly string[],
  settings: (region: string | undefined) => CloudRegion["settings"],
): readonly CloudRegion[] {
  const all = regions.length === 0 ? [undefined] : [...new Set(regions)]
  return all.map((region) => ({ cloud, region, settings: settings(region) }))
}

function variablesOf({ env, openrc }: RegionOptions): Readonly<Record<string, string | undefined>> {
  // a cloud that the environment names is not that of the file
  return openrc === undefined ? env : { ...env, OS_CLOUD: undefined, ...parseOpenrc(readText(openrc), openrc) }
}

const split = (list: string | undefined): readonly string[] =>
  (list ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")

/** Without any settings, all that is missing is named at once. */
function noCloud(where: string, named: readonly string[], settings: CloudSettings): Error {
  if (named.length > 0) {
    const message = `names ${named.join(", ")}, but there is no clouds.yaml here, in ~/.config/openstack or in /etc/openstack. OS_CLIENT_CONFIG_FILE can name one`
    return new ConfigurationError([{ where, message }])
  }
  const faults = new Faults()
  faults.collect(() => accessOf(settings, undefined))
  const message =
    "set the OS_* variables, or --openrc FILE, or OS_CLOUD with a clouds.yaml; or --dummy-data FILE for a made-up cloud"
  faults.add("OpenStack", message)
  return faults.toError()
}
