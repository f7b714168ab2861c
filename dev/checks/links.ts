import { access, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { sources } from "./plan.ts"

/** Links and images of the Markdown files in `root` that point to a file which is not there. */
export async function brokenLinks(root: string): Promise<string[]> {
  const broken: string[] = []
  for (const page of sources(root, "**/*.md")) {
    const text = await readFile(join(root, page), "utf8")
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const exists = await access(join(root, dirname(page), target)).then(
        () => true,
        () => false,
      )
      if (!exists) broken.push(`${page} links to ${target}, which does not exist`)
    }
  }
  return broken
}
