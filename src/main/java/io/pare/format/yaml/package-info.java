/**
 * Networks that a YAML file declares, layer by layer.
 *
 * <p>Public. Begin with {@link io.pare.format.yaml.NetworkDescription}.
 *
 * <p>May use {@code net} and {@code file}.
 */
@NullMarked
package io.pare.format.yaml;

import org.jspecify.annotations.NullMarked;
