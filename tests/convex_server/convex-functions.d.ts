declare module "convex-functions" {
  import type { GenericSchema, SchemaDefinition } from "convex/server";

  export const modules: Record<string, () => Promise<Record<string, unknown>>>;
  export const schema: SchemaDefinition<GenericSchema, boolean>;
}
