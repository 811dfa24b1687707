/** The door: a module-federation container, written by hand, which JupyterLab loads as a classic script. */
(() => {
  'use strict';
  const here = document.currentScript.src;
  let scope = {};

  const container = {
    init(shareScope) {
      scope = shareScope;
    },
    async get(name) {
      if (name !== './extension') {
        throw new Error(`ollama-magic has no module «${name}».`);
      }
      const { plugins } = await import(new URL('extension.js', here).href);
      const found = await plugins(scope);
      return () => ({ __esModule: true, default: found });
    }
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['ollama-magic'] = container;
})();
