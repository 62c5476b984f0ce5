import convex from "@convex-dev/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["functions/_generated/", "node_modules/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in a template are meant.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // What a rest leaves out is named.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
    },
  },
  {
    // The plugin's own selection looks for a directory named convex below this one.
    files: ["functions/**/*.ts"],
    plugins: { "@convex-dev": convex },
    rules: {
      "@convex-dev/no-old-registered-function-syntax": "error",
      "@convex-dev/require-args-validator": "error",
      "@convex-dev/explicit-table-ids": "error",
      "@convex-dev/no-filter-in-query": "error",
      "@convex-dev/no-collect-in-query": "error",
      "@convex-dev/no-schema-import-cycle": "error",
      // The original's indexes are kept by name, though two of them overlap.
      "@convex-dev/no-duplicate-indexes": "off",
      "@convex-dev/no-top-of-hour-crons": "error",
      "@convex-dev/no-process-env": "error",
      "@convex-dev/import-wrong-runtime": "error",
    },
  },
  {
    // node:test returns promises that nobody awaits.
    files: ["tests/**"],
    rules: { "@typescript-eslint/no-floating-promises": "off" },
  },
  { files: ["**/*.js"], ...tseslint.configs.disableTypeChecked },
);
