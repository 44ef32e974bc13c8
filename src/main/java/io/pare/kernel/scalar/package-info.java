/** Plain Java twins of every vector kernel: the fallback where the Vector API is absent, and the oracle of the tests. */
package io.pare.kernel.scalar;
