// What documentation imports: clusters for scripts, and the page as an element. See "Embedding" in the README.
import { Playground } from "./element.js";

export { createCluster, DrydockError } from "./cluster.js";

// Workers can make clusters, too, and have no elements.
if (Playground && !customElements.get("drydock-playground")) customElements.define("drydock-playground", Playground);
