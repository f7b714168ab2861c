import { Faults } from "#core/config/faults.ts"
import { ConfigurationError } from "#core/errors.ts"
import { accessOf } from "./access.ts"
import type { Api } from "./api.ts"
import { type Clouds, readClouds } from "./clouds-yaml.ts"
import type { CloudSettings } from "./cloud-settings.ts"
import { withCredentialsOf } from "./env-credentials.ts"
import { type Environment, type OsVariables, variablesOfEnvironment, variablesOfFile } from "./variables.ts"

export interface RegionOptions {
  readonly env: Environment
  /** A file of OS_* variables; those of the environment then do not count, but for a secret that the file leaves out. */
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
  const { env, openrc } = options
  const readVariables = (): OsVariables =>
    openrc === undefined ? variablesOfEnvironment(env) : variablesOfFile(openrc, env)
  const variables = readVariables()
  const named = options.clouds.length > 0 ? options.clouds : split(readable(variables, "cloud"))
  const regions = options.regions.length > 0 ? options.regions : split(readable(variables, "region_name"))
  const isDescribed = variables.settings().has("auth_url")
  if (options.clouds.length > 0 && openrc !== undefined && isDescribed) {
    const message = `names a cloud of clouds.yaml, and ${openrc} (--openrc, FEDSTACK_OPENRC) describes another. Keep one of the two`
    throw new ConfigurationError([{ where: "--os-cloud", message }])
  }
  if (named.length === 0 && (isDescribed || openrc !== undefined))
    // what is read later is read anew
    return expand(
      undefined,
      regions,
      () => () => Promise.try(() => settingsOf(readVariables(), variables.where, options)),
    )
  // where the files are may be set outside
  const places = { ...env, ...placesOf(variables) }
  const clouds = await readClouds(places)
  if (clouds === undefined)
    throw noCloud(options.clouds.length > 0 ? "--os-cloud" : "OS_CLOUD", named, variables.settings())
  const chosen = named.length > 0 ? [...new Set(named)] : [onlyOf(clouds)]
  const secrets = chosen.length === 1 ? env : {} // that of one cloud is not sent to the others
  return chosen.flatMap((cloud) => {
    const known = clouds.regionsOf(cloud)
    const unknown = regions.find((region) => known.length > 1 && !known.includes(region))
    if (unknown !== undefined && chosen.length < 2) {
      const message = `cloud ${cloud} has no region ${unknown}. It has ${known.join(", ")}`
      throw new ConfigurationError([{ where: clouds.path, message }])
    }
    const wanted = regions.length > 0 ? regions : known
    return expand(cloud, wanted, (region) => async () => {
      const now = (await readClouds(places)) ?? clouds
      return withCredentialsOf(secrets, now.settingsOf(cloud, region))
    })
  })
}

/** OS_* variables of the environment that are set to something else than in the file that is used in their place. */
export function ignoredVariables({ env, openrc }: RegionOptions): readonly string[] {
  if (openrc === undefined) return []
  const file = variablesOfFile(openrc, env)
  if (file.where !== openrc) return []
  const used = withCredentialsOf(env, file.settings()).values
  return variablesOfEnvironment(env)
    .names.filter((name) => used.get(name.slice(3).toLowerCase()) !== env[name])
    .toSorted()
}

function settingsOf(variables: OsVariables, where: string, { env, openrc }: RegionOptions): CloudSettings {
  if (openrc === undefined) return variables.settings()
  // of a file that was cut while it was written, the rest would be taken from the environment: another cloud
  if (variables.where !== where)
    throw new ConfigurationError([{ where: openrc, message: "sets OS_AUTH_URL no more, as it did at the start" }])
  return withCredentialsOf(env, variables.settings())
}

function placesOf({ valueOf }: OsVariables): Environment {
  const names = ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"]
  return Object.fromEntries(names.flatMap((name) => (valueOf(name) === undefined ? [] : [[name, valueOf(name)]])))
}

function onlyOf({ path, names }: Clouds): string {
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return only
  const message = `has ${names.length} clouds: ${names.toSorted().join(", ")}. Set OS_CLOUD or --os-cloud to those that are wanted`
  throw new ConfigurationError([{ where: path, message }])
}

function expand(
  cloud: string | undefined,
  regions: readonly string[],
  settings: (region: string | undefined) => CloudRegion["settings"],
): readonly CloudRegion[] {
  const all = regions.length === 0 ? [undefined] : [...new Set(regions)]
  return all.map((region) => ({ cloud, region, settings: settings(region) }))
}

/** Of one variable. Throws ConfigurationError where it cannot be read: without it another cloud or region would be. */
function readable(variables: OsVariables, key: string): string | undefined {
  const settings = variables.settings()
  const value = settings.get(key)
  settings.faults.orThrow()
  return value
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
