import { execFile } from "node:child_process"
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { defineError } from "#core/errors.ts"

export const noApt = defineError("NO_APT", 500, "{program} is missing, so this is no Debian or Ubuntu")
export const noPackage = defineError("NO_PACKAGE", 500, "apt-get cannot fetch {name} ({output})")

/** Milliseconds that one call of apt-get may take. */
const DEADLINE = 300_000
const execute = promisify(execFile)

export interface Provision {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder for what is fetched; made where it is missing. */
  readonly cache: string
  /** Prints what is done. */
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Unpacks a package of the distribution, what its web pages need and those of `companions` that exist into the folder
 * `name` of the cache, without installing it and without root. Throws NO_APT or NO_PACKAGE.
 */
export async function fetchPackage(
  name: string,
  companions: readonly string[],
  { env, cache, say, signal }: Provision,
): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, `${name}.new-`))
  const run: Execute = async (program, args) => {
    const { stdout } = await execute(program, args, { cwd: work, env, signal, timeout: DEADLINE })
    return stdout
  }
  const target = join(cache, name)
  try {
    for (const program of ["apt-get", "dpkg-deb"]) {
      await run(program, ["--version"]).catch((error: unknown) => {
        throw noApt({ program }, { cause: error })
      })
    }
    say(`Unpacking the distribution's package ${name} into ${target}, once; nothing is installed`)
    const download = await downloadFirst(name, work, run, say)
    for (const companion of companions) await download([companion]).catch(() => undefined) // none of that name
    await unpackAll(work, run, (names) =>
      download(names).catch(() =>
        say(`The web pages of ${name} will look bare: apt-get cannot fetch ${names.join(", ")}`),
      ),
    )
    // 200 MB of time zone tables that no page reads
    await rm(join(work, "root/usr/share/javascript/moment-timezone/data"), { recursive: true, force: true })
    await rename(join(work, "root"), target).catch(async (error: unknown) => {
      await access(target).catch(() => Promise.reject(error as Error)) // unless another process was faster
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Execute = (program: string, args: readonly string[]) => Promise<string>
type Download = (names: readonly string[]) => Promise<unknown>

/** Downloads with the package lists of the system, else with lists of our own; returns how the next one is done. */
async function downloadFirst(name: string, work: string, run: Execute, say: Provision["say"]): Promise<Download> {
  // the folder may be closed to apt's own user
  const options = ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
  const download: Download = (names) => run("apt-get", [...options, "download", ...names])
  try {
    await download([name])
  } catch {
    say("Fetching the distribution's package lists, which this machine lacks or has in an old state")
    options.push(...(await ownState(join(work, "apt"))))
    // its hooks may fail without root; whether there are lists now shows in the download
    await run("apt-get", [...options, "update"]).catch(() => "")
    await download([name]).catch((error: unknown) => {
      throw noPackage({ name, output: lastLine(error) })
    })
  }
  return download
}

async function ownState(folder: string): Promise<readonly string[]> {
  for (const part of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, part), { recursive: true })
  }
  const settings = [
    `Dir::State=${folder}/state`,
    "Dir::State::status=/var/lib/dpkg/status",
    `Dir::Cache=${folder}/cache`,
    "Acquire::Languages=none",
  ]
  return settings.flatMap((value) => ["-o", value])
}

/** Unpacks all packages in `work`, then what they need for their web pages, until nothing new comes. */
async function unpackAll(work: string, run: Execute, download: Download): Promise<void> {
  const unpacked = new Set<string>()
  for (;;) {
    const files = (await readdir(work)).filter((file) => file.endsWith(".deb") && !unpacked.has(file))
    if (files.length === 0) return
    const wanted = new Set<string>()
    for (const file of files) {
      await run("dpkg-deb", ["-x", file, "root"])
      for (const name of webDependencies(await run("dpkg-deb", ["-f", file, "Depends"]))) wanted.add(name)
      unpacked.add(file)
    }
    const missing = [...wanted].filter((name) => ![...unpacked].some((file) => file.startsWith(`${name}_`)))
    if (missing.length > 0) await download(missing)
  }
}

/** Names of the JavaScript and font packages in a `Depends` field. */
export function webDependencies(depends: string): readonly string[] {
  return depends
    .split(",")
    .map((entry) => entry.trim().split(/[\s|(:]/, 1)[0] ?? "")
    .filter((name) => /^(?:libjs|fonts)-/.test(name))
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error)
  return text.trim().split("\n").at(-1) ?? ""
}
