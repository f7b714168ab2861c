import { readText } from "#core/files/read-text.ts"
import { ConfigurationError } from "#core/errors.ts"
import { accessOf } from "./access.ts"
import type { Api } from "./api.ts"
import { readClouds } from "./clouds-yaml.ts"
import { type Fields, fieldsOfVariables } from "./fields.ts"
import { parseOpenrc } from "./openrc.ts"

export interface TargetOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file of OS_* variables; they win over those of the environment. */
  readonly openrc: string | undefined
  /** Clouds of clouds.yaml; none: as the variables say. */
  readonly clouds: readonly string[]
  /** None: as the variables or clouds.yaml say. */
  readonly regions: readonly string[]
}

/** One region of one cloud, and where its settings are read, anew each time. */
export interface Target extends Pick<Api, "cloud" | "region"> {
  readonly fields: () => Promise<Fields>
}

/** Every region of every cloud that flags, variables and clouds.yaml name. Throws ConfigurationError if there is none. */
export async function targetsOf(options: TargetOptions): Promise<readonly Target[]> {
  const env = variablesOf(options)
  const inVariables = fieldsOfVariables(env, options.openrc ?? "the environment")
  const named = options.clouds.length > 0 ? options.clouds : split(env.OS_CLOUD)
  const regions = options.regions.length > 0 ? options.regions : split(env.OS_REGION_NAME)
  if (named.length === 0 && (inVariables.values.has("auth_url") || options.openrc !== undefined)) {
    // throws where the file is broken; what is read later is read anew
    const fields = (): Promise<Fields> =>
      Promise.try(() => fieldsOfVariables(variablesOf(options), options.openrc ?? "the environment"))
    return expand(undefined, regions, () => fields)
  }
  const clouds = await readClouds(env)
  if (clouds === undefined) throw noCloud(named, inVariables)
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
    return expand(cloud, wanted, (region) => async () => {
      const again = await readClouds(env)
      return (again ?? clouds).fieldsOf(cloud, region)
    })
  })
}

function expand(
  cloud: string | undefined,
  regions: readonly string[],
  fields: (region: string | undefined) => () => Promise<Fields>,
): readonly Target[] {
  const all = regions.length === 0 ? [undefined] : [...new Set(regions)]
  return all.map((region) => ({ cloud, region, fields: fields(region) }))
}

function variablesOf({ env, openrc }: TargetOptions): Readonly<Record<string, string | undefined>> {
  // a cloud that the environment names is not that of the file
  return openrc === undefined ? env : { ...env, OS_CLOUD: undefined, ...parseOpenrc(readText(openrc), openrc) }
}

const split = (list: string | undefined): readonly string[] =>
  (list ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")

/** With nothing to go by, all that is missing is named at once. */
function noCloud(named: readonly string[], { where, shown, values }: Fields): ConfigurationError {
  if (named.length > 0) {
    const message = `names ${named.join(", ")}, but there is no clouds.yaml here, in ~/.config/openstack or in /etc/openstack. OS_CLIENT_CONFIG_FILE can name one`
    return new ConfigurationError([{ where: "OS_CLOUD", message }])
  }
  try {
    accessOf({ where, shown, values }, undefined)
  } catch (error) {
    if (error instanceof ConfigurationError)
      return new ConfigurationError([
        ...error.faults,
        {
          where: "OpenStack",
          message:
            "set the OS_* variables, or --openrc FILE, or OS_CLOUD with a clouds.yaml; or --dummy-data FILE for a made-up cloud",
        },
      ])
    throw error
  }
  throw new Error("variables without OS_AUTH_URL can't be complete")
}
