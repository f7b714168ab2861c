import { webSettingsWithPort } from "#core/http/settings.ts"
import type { Values } from "#core/config/settings.ts"
import { admissionSettings } from "./admission/settings.ts"
import { resourceSettings } from "./resources/settings.ts"
import { rulerSettings } from "./ruler/settings.ts"
import { trackerSettings } from "./tracker/settings.ts"
import { updaterSettings } from "./updater/settings.ts"

const { resources, replicas } = resourceSettings

export const rulesInformerSettings = {
  ...resources,
  ...rulerSettings,
  ...updaterSettings,
  ...trackerSettings,
  ...replicas,
  ...admissionSettings,
  ...webSettingsWithPort(20_093),
}

export type RulesInformerValues = Values<typeof rulesInformerSettings>

const {
  updaterPollIntervalSeconds: _interval,
  maxDeletesPerCycle: _most,
  forgetRulers: _forget,
  dryRun: _dry,
  ...planned
} = updaterSettings
const { finalizerDeadline: _deadline, releaseNamespaces: _release, ...selected } = resources

/** Those by which the informer decides what to do. */
export const rulesDiffSettings = { ...selected, ...rulerSettings, ...planned }
