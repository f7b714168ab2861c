import type { Path } from "#core/config/config-file.ts"
import type { Problem, Severity } from "./problem.ts"

/** Problems of a group while it is read, and which of its values could not be read. */
export class Findings {
  readonly problems: Problem[] = []

  error(check: string, path: Path, message: string): undefined {
    this.add("error", check, path, message)
  }

  warn(check: string, path: Path, message: string): void {
    this.add("warning", check, path, message)
  }

  add(severity: Severity, check: string, path: Path, message: string, span?: Problem["span"]): void {
    this.problems.push({ severity, check, path, message, ...(span === undefined ? {} : { span }) })
  }

  get anyErrors(): boolean {
    return this.problems.some(({ severity }) => severity === "error")
  }
}
