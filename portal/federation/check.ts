import { component } from "#core/component.ts"

export const command = component({ settings: {}, run: () => Promise.resolve(undefined) })
