import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { readYamlFile } from "#core/config/config-file.ts"
import { ConfigurationError } from "#core/errors.ts"
import { expected } from "#core/config/schema.ts"
import { CloudSettings } from "./cloud-settings.ts"

type Env = Readonly<Record<string, string | undefined>>

const scalar = z
  .union([z.string(), z.number(), z.boolean()], expected("a text, a number or true or false"))
  .transform(String)
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
function find(env: Env, variable: string, name: string): string | undefined {
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
export async function readClouds(env: Env) {
  const path = find(env, "OS_CLIENT_CONFIG_FILE", "clouds")
  if (path === undefined) return undefined
  const securePath = find(env, "OS_CLIENT_SECURE_FILE", "secure")
  const { value } = await readYamlFile(path, file)
  const secure = securePath === undefined ? {} : (await readYamlFile(securePath, file)).value.clouds
  const names = Object.keys(value.clouds)
  const get = (name: string): CloudEntry => {
    const own = value.clouds[name]
    if (own === undefined) {
      const message = `has no cloud ${JSON.stringify(name)}. It has ${names.toSorted().join(", ") || "none"}: set OS_CLOUD or --os-cloud`
      throw new ConfigurationError([{ where: path, message }])
    }
    return merge(own, secure[name])
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
    /** Of a cloud, with the values of one of its regions. */
    settingsOf(name: string, regionName: string | undefined): CloudSettings {
      const own = get(name)
      const found = own.regions.find((candidate) => typeof candidate !== "string" && candidate.name === regionName)
      const merged = merge(own, typeof found === "object" ? found.values : undefined)
      const nameOf = (key: string): string => `clouds.${name}.${BELOW_AUTH.test(key) ? "auth." : ""}${key}`
      return new CloudSettings(path, nameOf, [...scalars(merged.auth), ...scalars(merged)])
    },
  }
}

const BELOW_AUTH =
  /^(?:auth_url|username|password|token|system_scope|(?:user|project|domain|application_credential)_.*)$/

type Added = Readonly<Record<string, unknown>> & { readonly auth?: CloudEntry["auth"] | undefined }

const merge = (own: CloudEntry, more: Added | undefined): CloudEntry => ({
  ...own,
  ...more,
  regions: own.regions,
  auth: { ...own.auth, ...more?.auth },
})

/** Everything but lists and maps, which mean nothing here. */
function scalars(map: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(map).flatMap(([key, value]) => {
    const usable = typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    return usable && value !== "" ? [[key, String(value)] as const] : []
  })
}
