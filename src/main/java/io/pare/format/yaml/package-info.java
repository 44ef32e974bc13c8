/**
 * Networks that a YAML file declares, layer by layer.
 *
 * <p>Public: {@link io.pare.format.yaml.NetworkDescription}.
 *
 * <p>May use {@code net} and {@code file}.
 */
package io.pare.format.yaml;
