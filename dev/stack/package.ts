import { execFile } from "node:child_process"
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { defineError } from "#core/errors.ts"

export const noApt = defineError("NO_APT", 500, "{program} is missing, this is no Debian or Ubuntu")
export const noPackage = defineError("NO_PACKAGE", 500, "apt-get can't fetch {name} ({output})")

const run = promisify(execFile)

/**
 * Unpacks a package of the distribution into `cache`/`name`, without installing it and without root.
 * Throws NO_APT or NO_PACKAGE.
 */
export async function fetchPackage(
  name: string,
  cache: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const program of ["apt-get", "dpkg-deb"]) {
    await run(program, ["--version"]).catch((error: unknown) => {
      throw noApt({ program }, { cause: error })
    })
  }
  const target = join(cache, name)
  say(`Prometheus is not installed: unpacking the distribution's package into ${target} (once; nothing is installed)`)
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, `${name}.new-`))
  try {
    await fetchInto(work, name, say, signal)
    // 200 MB of time zone tables that no page reads
    await rm(join(work, "root/usr/share/javascript/moment-timezone/data"), { recursive: true, force: true })
    await rename(join(work, "root"), target).catch(async (error: unknown) => {
      // somebody else was faster
      await access(target).catch(() => {
        throw error
      })
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function fetchInto(work: string, name: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  let options = ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
  const download = (names: readonly string[]) =>
    run("apt-get", [...options, "-q", "download", ...names], { cwd: work, signal })
  await download([name]).catch(async () => {
    // no package lists here (a fresh container), or old ones: fetch our own
    say("Fetching the distribution's package lists")
    options = [...options, ...(await ownState(join(work, "apt")))]
    // its hooks may fail without root; whether there are lists shows in the download
    await run("apt-get", [...options, "-q", "update"], { signal }).catch(() => undefined)
    await download([name]).catch((error: unknown) => {
      throw noPackage({ name, output: lastLine(error) })
    })
  })
  // its web pages need scripts and fonts that are packages of their own, all of them small
  const unpacked = new Set<string>()
  for (;;) {
    const files = (await readdir(work)).filter((file) => file.endsWith(".deb") && !unpacked.has(file))
    if (files.length === 0) return
    const wanted: string[] = []
    for (const file of files) {
      await run("dpkg-deb", ["-x", file, "root"], { cwd: work, signal })
      wanted.push(...webDependencies((await run("dpkg-deb", ["-f", file, "Depends"], { cwd: work, signal })).stdout))
      unpacked.add(file)
    }
    const missing = [...new Set(wanted)].filter((wish) => ![...unpacked].some((file) => file.startsWith(`${wish}_`)))
    if (missing.length > 0) {
      await download(missing).catch(() =>
        say(`Its web pages will look bare: apt-get can't fetch ${missing.join(", ")}`),
      )
    }
  }
}

/** Names of the JavaScript and font packages in a `Depends` field. */
export function webDependencies(depends: string): readonly string[] {
  return depends
    .split(",")
    .map((entry) => entry.trim().split(/[\s|(:]/, 1)[0] ?? "")
    .filter((name) => /^(?:libjs|fonts)-/.test(name))
}

async function ownState(folder: string): Promise<readonly string[]> {
  for (const part of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, part), { recursive: true })
  }
  return [
    "-o",
    `Dir::State=${folder}/state`,
    "-o",
    "Dir::State::status=/var/lib/dpkg/status",
    "-o",
    `Dir::Cache=${folder}/cache`,
    "-o",
    "Acquire::Languages=none",
  ]
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error)
  return text.trim().split("\n").at(-1) ?? ""
}
