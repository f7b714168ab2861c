import { between, duration, inGroup, oneOf, setting, text, type Values } from "#core/config/settings.ts"
import { ALGORITHMS } from "./algorithms.ts"

const HOUR = 3600

export const tokenSettings = inGroup("Tokens that the portal signs", {
  tokenKeyDir: setting(text, {
    flag: "--token.key-dir <folder>",
    help: "Keep the keys that sign tokens in this folder, which Prometheus must not read",
    defaultText: "that of --prometheus.config-dir with -keys after it",
  }),
  tokenLifetime: setting(
    between(duration(0), 10, 24 * HOUR, "from 10s to 1d"),
    { flag: "--token.lifetime <duration>", help: "Sign tokens that are valid for this long; renewed at half of it" },
    "1h",
  ),
  tokenAlgorithm: setting(
    oneOf(ALGORITHMS),
    { flag: "--token.algorithm <name>", help: `Sign with new keys of this kind: ${ALGORITHMS.join(" or ")}` },
    "ES256",
  ),
  tokenKeyAge: setting(
    (value) =>
      value.trim() === "0"
        ? 0
        : between(duration(0, 3660 * 24 * HOUR), HOUR, 3660 * 24 * HOUR, "0, or from 1h to 3660d")(value),
    { flag: "--token.key-age <duration>", help: "Replace the key after this time; 0: by fedstack token rotate alone" },
    "30d",
  ),
})

export type TokenSettings = Values<typeof tokenSettings>

/** Where keys are, by the flags that the portal has too. */
export interface KeyFolder {
  readonly tokenKeyDir: string | undefined
  readonly configDir: string
}

export const keyFolderOf = ({ tokenKeyDir, configDir }: KeyFolder): string =>
  tokenKeyDir ?? `${configDir.replace(/\/+$/, "")}-keys`
