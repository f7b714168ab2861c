import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { type ConfigFile, readYamlTexts } from "#core/config/config-file.ts"
import { ConfigurationError } from "#core/errors.ts"
import { expected } from "#core/config/schema.ts"
import { CloudSettings, type Entry } from "./cloud-settings.ts"
import type { Environment } from "./variables.ts"

const scalar = z.string(expected("a text"))
const auth = z.record(z.string(), scalar.nullable(), expected("a map of settings")).default({})
const region = z.union(
  [scalar, z.object({ name: scalar, values: z.looseObject({ auth: auth.optional() }).default({}) })],
  expected("a region's name, or its name and values"),
)
/** Other programs have keys of their own here. */
const cloud = z.looseObject(
  { auth, regions: z.array(region, expected("a list of regions")).default([]) },
  expected("a map"),
)
const entry = cloud.nullable().transform((given) => given ?? { auth: {}, regions: [] })
const file = z.looseObject({ clouds: z.record(z.string(), entry, expected("a map of clouds")).default({}) })

type CloudEntry = z.output<typeof cloud>

/** The first file that there is, where openstacksdk looks and in its order. One that is named counts without being there. */
function find(env: Environment, variable: string, name: string): string | undefined {
  const named = env[variable]
  if (named !== undefined && named !== "") return named
  const home = env.HOME ?? homedir()
  const folders = [
    ".",
    join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "openstack"),
    join(home, ".config/openstack"),
    "/etc/openstack",
  ]
  return folders
    .flatMap((folder) => ["yaml", "yml", "json"].map((suffix) => join(folder, `${name}.${suffix}`)))
    .find((path) => existsSync(path))
}

/**
 * The clouds of clouds.yaml, with what secure.yaml adds; undefined if there is no such file. Throws ConfigurationError, as do
 * its functions where there is no cloud of that name.
 */
export async function readClouds(env: Environment) {
  const path = find(env, "OS_CLIENT_CONFIG_FILE", "clouds")
  if (path === undefined) return undefined
  const securePath = find(env, "OS_CLIENT_SECURE_FILE", "secure")
  const own = await readYamlTexts(path, file)
  const secure = securePath === undefined ? undefined : await readYamlTexts(securePath, file)
  const names = Object.keys(own.value.clouds)
  const get = (name: string): CloudEntry => {
    const found = own.value.clouds[name]
    if (found !== undefined) return found
    const todo =
      names.length > 0
        ? `It has ${names.toSorted().join(", ")}: set OS_CLOUD or --os-cloud`
        : "It has none: they stand below the key clouds"
    const message = `has no cloud ${JSON.stringify(name)}. ${todo}`
    throw new ConfigurationError([{ where: path, message }])
  }
  return {
    path,
    names,
    regionsOf(name: string): readonly string[] {
      const { regions, region_name: single } = get(name)
      if (regions.length > 0) return regions.map((one) => (typeof one === "string" ? one : one.name))
      return (Array.isArray(single) ? single : typeof single === "string" ? single.split(",") : [])
        .map((text: unknown) => String(text).trim())
        .filter((text) => text !== "")
    },
    /** Of a cloud, with what secure.yaml adds, and the values of one of its regions. */
    settingsOf(name: string, regionName: string | undefined): CloudSettings {
      const found = get(name)
      const at = found.regions.findIndex((one) => typeof one !== "string" && one.name === regionName)
      const chosen = found.regions[at]
      const nameOf = (key: string): string => `clouds.${name}.${BELOW_AUTH.test(key) ? "auth." : ""}${key}`
      const settings = new CloudSettings(path, nameOf, [
        ...entriesOf(own, found, ["clouds", name]),
        ...entriesOf(secure, secure?.value.clouds[name], ["clouds", name]),
        ...(typeof chosen === "object" ? entriesOf(own, chosen.values, ["clouds", name, "regions", at, "values"]) : []),
      ])
      const { profile } = found
      if (typeof profile === "string")
        settings.hint("auth_url", `profile: ${profile} is not looked up, write what it stands for`)
      return settings
    },
  }
}

export type Clouds = NonNullable<Awaited<ReturnType<typeof readClouds>>>

const BELOW_AUTH =
  /^(?:auth_url|username|password|token|system_scope|(?:user|project|domain|application_credential)_.*)$/

type SettingsMap = Readonly<Record<string, unknown>> & { readonly auth?: CloudEntry["auth"] | undefined }

/** Everything but lists and maps, which mean nothing here; what stands beside `auth` wins over what stands below it. */
function entriesOf(
  source: ConfigFile<unknown> | undefined,
  map: SettingsMap | undefined,
  path: readonly (string | number)[],
): readonly Entry[] {
  const below = Object.entries(map?.auth ?? {}).map(([key, value]) => [["auth", key], value] as const)
  const beside = Object.entries(map ?? {}).map(([key, value]) => [[key], value] as const)
  return [...below, ...beside].flatMap(([keys, value]) => {
    const key = keys.at(-1) ?? ""
    if (typeof value !== "string" || value === "") return []
    return [{ key, value, where: source?.where([...path, ...keys]) ?? "", name: "" }]
  })
}
