import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { command } from "./command.ts"
import { brokenLinks } from "./links.ts"
import { type Lock, licenceFaults, undocumented } from "./packages.ts"
import { sources } from "./plan.ts"

/** Something that holds for the whole project. Counts as one test. */
export interface Check {
  readonly name: string
  /** What is wrong; "" where all is well. */
  readonly run: (root: string) => Promise<string>
}

/** A file that is as it was is well formatted as it was: known by its content, not by its time. */
const CACHED_BY_CONTENT = ["--cache", "--cache-strategy=content", "--cache-location=.cache/prettier"]

/** The longest first: they run side by side. */
export const checks: readonly Check[] = [
  { name: "format", run: tool("prettier", "--check", "--log-level=warn", ...CACHED_BY_CONTENT, ".") },
  { name: "types", run: tool("tsc") },
  { name: "types of the browser's script", run: tool("tsc", "-p", "portal/web/client") },
  { name: "lint", run: tool("oxlint", "--quiet") },
  { name: "unused code and dependencies", run: tool("knip", "--no-progress") },
  { name: "shell syntax", run: shellSyntax },
  { name: "links in the documentation", run: async (root) => (await brokenLinks(root)).join("\n") },
  { name: "licences", run: async (root) => licenceFaults(await lock(root)).join("\n") },
  {
    name: "reasons of dependencies",
    run: async (root) =>
      undocumented(await lock(root), await readFile(join(root, "docs/dependencies.md"), "utf8")).join("\n"),
  },
]

/** What `npm audit` knows. Only information: it needs a registry that offers it, and its findings change without us. */
export async function audit(root: string): Promise<string> {
  const { stdout } = await command("npm", ["audit", "--omit=dev", "--json", "--loglevel=silent"], root, 30)
  try {
    const report = JSON.parse(stdout) as { metadata?: { vulnerabilities?: Record<string, number> } }
    const { total, ...levels } = report.metadata?.vulnerabilities ?? {}
    if (total === undefined) return "no result: the registry offers no audit"
    if (total === 0) return "the registry knows of no vulnerability in the production packages"
    const found = Object.entries(levels).filter(([, count]) => count > 0)
    return `${found.map(([level, count]) => `${count} ${level}`).join(", ")}: see npm audit --omit=dev`
  } catch {
    return "no result: npm audit gave no response within 30 s, or one that is not JSON"
  }
}

function tool(name: string, ...args: readonly string[]): Check["run"] {
  return async (root) => {
    const { code, output } = await command(join(root, "node_modules/.bin", name), args, root)
    return code === 0 ? "" : output.trim() || `${name} ended with ${code}`
  }
}

async function shellSyntax(root: string): Promise<string> {
  const candidates = sources(root, "{bin,dev,site,portal,.ci}/**/{*.sh,[!.]*}").filter(
    (file) => !/\.(?!sh$)\w+$/.test(file),
  )
  const faults: string[] = []
  for (const file of candidates) {
    const [, shell] = /^#!.*\b(sh|bash)\b/.exec(await firstLine(join(root, file))) ?? []
    if (shell === undefined) continue
    const { code, output } = await command(shell, ["-n", file], root)
    if (code !== 0) faults.push(output.trim())
  }
  return faults.join("\n")
}

async function firstLine(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EISDIR") return ""
    throw error
  })
  return text.split("\n", 1)[0] ?? ""
}

async function lock(root: string): Promise<Lock> {
  return JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as Lock
}
