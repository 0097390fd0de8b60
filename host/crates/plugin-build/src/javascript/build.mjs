// Builds one plugin: bundles its modules, then makes a component of the bundle. `trellis plugin build` starts it in the build folder with
// the main module and the component to write; the packages lie beside this file.
import childProcess from "node:child_process";
import { writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [main, out] = process.argv.slice(2);
const tools = dirname(fileURLToPath(import.meta.url));
// componentize-js writes every path into the memory that becomes part of the component. The engine sees names that are the same on every
// machine instead.
const spawn = childProcess.spawnSync;
childProcess.spawnSync = (program, args, options) => {
  const folder = (flag) => args?.find((arg) => arg.startsWith(flag))?.slice(flag.length);
  const [bindings, root] = [folder("--dir="), folder("--mapdir=/::")];
  if (!bindings || !root || typeof options?.input !== "string") return spawn(program, args, options);
  const mapped = args.map((arg) => (arg === `--dir=${bindings}` ? `--mapdir=/trellis::${bindings}` : arg));
  const input = options.input.replaceAll(bindings, "/trellis").replaceAll(`${root}/`, "/");
  return spawn(program, mapped, { ...options, input });
};
syncBuiltinESMExports();

const fail = (error) => {
  console.error(error?.message ?? String(error));
  process.exit(1);
};
try {
  const { build } = await import("esbuild");
  const { componentize } = await import("@bytecodealliance/componentize-js");
  const bundle = resolve("plugin.js");
  await build({
    entryPoints: [join("source", main)],
    outfile: bundle,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2023",
    charset: "utf8",
    external: ["trellis:*"],
    alias: { "trellis-sdk": resolve("sdk/trellis-sdk.js") },
    nodePaths: [join(tools, "node_modules")],
    logLevel: "silent",
  });
  const { component } = await componentize({
    sourcePath: bundle,
    witPath: "wit",
    worldName: "plugin",
    // Without them nothing of WASI is imported.
    disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
  });
  await writeFile(out, component);
} catch (error) {
  fail(error);
}
