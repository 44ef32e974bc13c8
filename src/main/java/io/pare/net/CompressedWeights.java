package io.pare.net;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A network and all its weights and biases in compressed form: what a {@code .pare} file holds.
 *
 * <p>Immutable and thread-safe. The tensors' names are those of {@link Net#parameters()}.
 *
 * @param model the network
 * @param tensors one tensor for each parameter, in the model's order
 * @param scale how pixels become inputs
 */
public record CompressedWeights(Net model, Map<String, CompressedTensor> tensors, InputScale scale) {
    /** Checks that there is a tensor of the right shape for each parameter, and no other. */
    public CompressedWeights {
        Map<String, CompressedTensor> ordered = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            CompressedTensor tensor = tensors.get(parameter.name());
            if (tensor == null) {
                throw new IllegalArgumentException("model " + model.name() + " needs a tensor " + parameter.name()
                        + ", given are " + tensors.keySet());
            }
            if (!Arrays.equals(tensor.shape(), parameter.shape())) {
                throw new IllegalArgumentException("tensor " + parameter.name() + " must have shape "
                        + Arrays.toString(parameter.shape()) + ", has " + Arrays.toString(tensor.shape()));
            }
            ordered.put(parameter.name(), tensor);
        }
        if (ordered.size() != tensors.size()) {
            throw new IllegalArgumentException("model " + model.name() + " has the parameters " + ordered.keySet()
                    + ", given are " + tensors.keySet());
        }
        tensors = Collections.unmodifiableMap(ordered);
    }

    /**
     * Compresses the parameters of a network without loss: what is zero is left out, few distinct values are coded.
     *
     * @param model the network
     * @param parameters one tensor for each, by name; copied
     * @param scale how pixels become inputs
     * @return the weights
     */
    public static CompressedWeights of(Net model, Map<String, FloatTensor> parameters, InputScale scale) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        parameters.forEach((name, tensor) -> tensors.put(name, CompressedTensor.of(tensor)));
        return new CompressedWeights(model, tensors, scale);
    }

    /**
     * {@return the tensor of that name}
     *
     * @param name of a parameter, such as {@code fc1.weight}
     */
    public CompressedTensor tensor(String name) {
        CompressedTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no tensor " + name + " among " + tensors.keySet());
        }
        return tensor;
    }

    /** {@return the number of weights other than zero, biases left out} */
    public long nonzeroWeights() {
        return model.parameters().stream().filter(Parameter::weight).mapToLong(p -> tensor(p.name()).nonzeros()).sum();
    }

    /**
     * {@return all parameters as dense tensors in memory of {@code region}}
     *
     * @param region owns the memory
     */
    public Map<String, FloatTensor> dense(Region region) {
        Map<String, FloatTensor> dense = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            FloatTensor into = region.tensor(tensor.shape());
            tensor.copyTo(into);
            dense.put(name, into);
        });
        return dense;
    }
}
