import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { stripTypeScriptTypes } from "node:module"
import { join, posix } from "node:path"
import { promisify } from "node:util"

/** A file for browsers: a module and all that it imports as one, in JavaScript. */
export interface BrowserFile {
  /** Changes with the content. */
  readonly name: string
  readonly code: string
}

const ROOT = join(import.meta.dirname, "../..")
const CLIENT = "portal/web/client"

export interface BrowserScript {
  readonly page: BrowserFile
  /** Of the worker that the page starts. */
  readonly worker: BrowserFile
}

/** Made once by another process: what strips types takes 30 MB that it does not give back. */
export function browserScript(): Promise<BrowserScript> {
  return (made ??= promisify(execFile)(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", import.meta.filename],
    {
      maxBuffer: 2 ** 20,
    },
  ).then(({ stdout }) => JSON.parse(stdout) as BrowserScript))
}

let made: Promise<BrowserScript> | undefined

async function makeScript(): Promise<BrowserScript> {
  const worker = named("worker", await joined(`${CLIENT}/worker.ts`))
  const page = await joined(`${CLIENT}/page.ts`)
  return { page: named("page", page.replace('"./worker.ts"', `"./${worker.name}"`)), worker }
}

const named = (name: string, code: string): BrowserFile => ({
  name: `${name}.${createHash("sha256").update(code).digest("base64url").slice(0, 12)}.js`,
  code,
})

/** Names of all modules are in one scope then, so that none may be there twice; a test holds that. */
async function joined(main: string): Promise<string> {
  const done = new Set<string>()
  const statements: string[] = []
  const add = async (file: string): Promise<void> => {
    if (done.has(file)) return
    done.add(file)
    const code = stripTypeScriptTypes(await readFile(join(ROOT, file), "utf8"))
    for (const [, target = ""] of code.matchAll(/^import[^"]*"(\.[^"]+)"/gm))
      await add(posix.join(posix.dirname(file), target))
    statements.push(...statementsOf(code))
  }
  await add(main)
  return `${used(statements).join("\n")}\n`
}

/** Without comments, indentation, imports and exports. A line at the margin begins a statement, unless it closes one. */
function statementsOf(code: string): readonly string[] {
  return code
    .replace(/\/\*\*[\s\S]*?\*\//g, "")
    .replace(/^[ \t]*\/\/.*$/gm, "")
    .replace(/^import[^"]*"[^"]+"$/gm, "")
    .replace(/^export /gm, "")
    .split(/\n(?=[^\s)\]}])/)
    .map((statement) =>
      statement
        .replace(/[ \t]*\n\s*/g, "\n")
        .replaceAll(/ {2,}/g, " ")
        .trim(),
    )
    .filter((statement) => statement !== "")
}

const DECLARED = /^(?:async )?(?:function|const|let) (?:\[([^\]]+)\]|(\w+))/

/** What runs by itself, and the declarations that are needed for it, in their order. */
function used(statements: readonly string[]): readonly string[] {
  const names = statements.map((statement) => {
    const [, several, one] = DECLARED.exec(statement) ?? []
    return (several ?? one ?? "").match(/\w+/g) ?? []
  })
  const kept = new Set(statements.filter((_, index) => names[index]?.length === 0))
  for (const statement of kept) {
    const words = new Set(statement.replaceAll(/"[^"\n]*"/g, "").match(/(?<![.\w])\w+/g))
    for (const [index, other] of statements.entries())
      if (names[index]?.some((name) => words.has(name))) kept.add(other)
  }
  return statements.filter((statement) => kept.has(statement))
}

if (import.meta.main) process.stdout.write(JSON.stringify(await makeScript()))
