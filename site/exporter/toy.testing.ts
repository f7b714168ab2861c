import { setting, whole } from "#core/config/settings.ts"
import { exporter } from "./exporter.ts"

/** An exporter with one gauge and one flag: all that a new one needs, beside a line in collectors/index.ts. */
export const command = exporter({
  name: "toy",
  example: "fedstack exporter toy --sides 20",
  docs: "architecture.md",
  port: 8080,
  settings: {
    sides: setting(whole(2, 100), { flag: "--sides <number>", help: "Set how many sides the die has" }, "6"),
  },
  open: ({ sides }) => ({
    collect: () => ({
      families: [
        { name: "toy_sides", help: "Sides of the die.", type: "gauge", samples: [{ labels: {}, value: sides }] },
      ],
    }),
  }),
})
