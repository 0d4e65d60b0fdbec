/**
 * All that is used of TypeBox. The build makes one file of it (`package.json`): its 700 modules take half a second to load.
 */
// biome-ignore lint/performance/noBarrelFile: the graph of modules is what goes
export { default, type Static, type TObject, type TSchema } from 'typebox'
export { Compile, type Validator } from 'typebox/compile'
