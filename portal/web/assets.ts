import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, gzip } from "node:zlib"
import { type BrowserFile, browserScript } from "./browser-script.ts"

/** A file for browsers under a name that changes with its content, so that they keep it for ever. */
export interface StaticFile {
  readonly path: string
  readonly type: string
  readonly body: Buffer
  readonly gzip: Buffer
  readonly br: Buffer
}

/** Addresses for pages. */
export interface Assets {
  readonly style: string
  readonly icons: { readonly ok: string; readonly attention: string; readonly trouble: string }
  readonly script: string
}

const FOLDER = join(import.meta.dirname, "static")

export async function openAssets(): Promise<{ readonly assets: Assets; readonly files: readonly StaticFile[] }> {
  const file = async (name: string, type: string): Promise<StaticFile> =>
    staticFile(name, type, await readFile(join(FOLDER, name)))
  const [style, ok, attention, trouble, script] = await Promise.all([
    file("style.css", "text/css; charset=utf-8"),
    file("ok.svg", "image/svg+xml"),
    file("attention.svg", "image/svg+xml"),
    file("trouble.svg", "image/svg+xml"),
    openScript(),
  ])
  return {
    assets: {
      style: style.path,
      icons: { ok: ok.path, attention: attention.path, trouble: trouble.path },
      script: script.main,
    },
    files: [style, ok, attention, trouble, ...script.files],
  }
}

function staticFile(name: string, type: string, body: Buffer): Promise<StaticFile> {
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 12)
  return compressed(`/static/${name.replace(".", `.${hash}.`)}`, type, body)
}

async function compressed(path: string, type: string, body: Buffer): Promise<StaticFile> {
  const [zipped, br] = await Promise.all([promisify(gzip)(body), promisify(brotliCompress)(body)])
  return { path, type, body, gzip: zipped, br }
}

async function openScript(): Promise<{ readonly main: string; readonly files: readonly StaticFile[] }> {
  const { page, worker } = await browserScript()
  const file = ({ name, code }: BrowserFile): Promise<StaticFile> =>
    compressed(`/static/${name}`, "text/javascript; charset=utf-8", Buffer.from(code))
  return { main: `/static/${page.name}`, files: await Promise.all([file(page), file(worker)]) }
}
