import { exporter } from "../../exporter.ts"
import { gatewayApiSettings } from "./settings.ts"

export const command = exporter({
  name: "gateway-api",
  settings: gatewayApiSettings,
  example: "fedstack exporter gateway-api --kinds Gateway,HTTPRoute --kubernetes.watch",
  docs: "gateway-api.md",
  port: 8080,
  open: async (values, context) => (await import("./open.ts")).openGatewayApi(values, context),
})
