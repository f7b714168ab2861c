import { defineError } from "#core/errors.ts"

export const notWritten = defineError(
  "CONFIGURATION_NOT_WRITTEN",
  500,
  "The Prometheus configuration cannot be written to {folder}: {reason}. The old files stay as they are.",
)

export const foreignConfiguration = defineError(
  "FOREIGN_CONFIGURATION",
  500,
  "{file} was not written by fedstack portal, which neither overwrites nor deletes it. Name a folder of its own with --prometheus.config-dir, or move the file away.",
)

export const folderLocked = defineError(
  "FOLDER_LOCKED",
  500,
  "Another fedstack portal is running that writes to {folder}. End that one, or give this one a folder of its own with --prometheus.config-dir.",
)

export const stillStarting = defineError(
  "PROMETHEUS_STARTING",
  502,
  "Prometheus at {url} is still starting: it is reloaded when it is ready.",
)

export const lifecycleDisabled = defineError(
  "LIFECYCLE_DISABLED",
  502,
  "Prometheus at {url} does not allow reloads: start it with --web.enable-lifecycle.",
)

export const unauthorized = defineError(
  "PROMETHEUS_UNAUTHORIZED",
  502,
  "Prometheus at {url} requires credentials, or refuses those that it was sent (401): see --prometheus.username and --prometheus.token-file.",
)

export const reloadRefused = defineError(
  "RELOAD_REFUSED",
  502,
  "Prometheus at {url} refused its new configuration: {reason}",
)

export const reloadFailed = defineError(
  "RELOAD_FAILED",
  502,
  "Prometheus at {url} cannot be reloaded (status {status}): {reason}",
)
