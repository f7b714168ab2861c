import { inGroup, setting, settings, whole } from "#core/config/settings.ts"
import { parseDirection } from "./directions.ts"

export const trackerSettings = inGroup("Tracker", {
  tracker: settings(
    parseDirection,
    {
      flag: "--tracker <which:how>",
      help: "Make resources of groups that stand at the ruler: tenant=a:import (once), namespace=x:mirror (and follow it), *:off; the first that fits decides; may be repeated, the variable has one a line",
      separator: "\n",
    },
    [],
  ),
  trackerPollIntervalSeconds: setting(
    whole(0, 86_400),
    {
      flag: "--tracker-poll-interval-seconds <seconds>",
      help: "Read the ruler for --tracker in this interval; 0 turns it off",
    },
    "93",
  ),
})
