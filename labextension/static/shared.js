/** JupyterLab's own packages, taken out of the scope that module federation shares. Nothing is bundled here. */

/** The packages of these names, each under its name; null if one is not to be had, as in a JupyterLab too old. */
export async function sharedPackages(scope, names) {
  const versions = names.map(name => theOneVersion(scope[name] ?? {}));
  if (versions.some(version => version === null)) {
    return null;
  }
  const factories = await Promise.all(versions.map(version => version.get()));
  return Object.fromEntries(names.map((name, at) => [name, factories[at]()]));
}

/** What webpack takes for a singleton: a version that is loaded already, else the highest. */
function theOneVersion(versions) {
  const names = Object.keys(versions).sort(byVersion);
  const loaded = names.filter(name => versions[name].loaded);
  const name = loaded.at(-1) ?? names.at(-1);
  return name === undefined ? null : versions[name];
}

function byVersion(one, other) {
  return one.localeCompare(other, 'en', { numeric: true });
}
