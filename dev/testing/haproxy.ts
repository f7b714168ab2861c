import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import type { Found } from "./component.ts"

/** The haproxy on PATH. */
export function findHaproxy(): Found<string> {
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "haproxy"))
    .find(isExecutable)
  return found === undefined ? { missing: "there is no haproxy on PATH" } : { value: found }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
