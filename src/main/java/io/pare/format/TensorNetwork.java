package io.pare.format;

import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.format.tensors.NamedTensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.StoredNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a network from a file of tensors that have names, dense ones or the parts of compressed ones. */
final class TensorNetwork {
    private final Path path;
    private final NamedTensors file;

    private TensorNetwork(Path path, NamedTensors file) {
        this.path = path;
        this.file = file;
    }

    /** Reads and closes the file; the arguments are those of {@link NetworkFile#contents(Path, Net, Map, boolean)}. */
    static StoredNetwork read(Path path, NamedTensors opened, Net wanted, Map<String, String> names,
            boolean ignoreExtra)
            throws IOException {
        try (NamedTensors file = opened; Region region = Region.confined("import")) {
            return new TensorNetwork(path, file).read(wanted, names, ignoreExtra, region);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    private StoredNetwork read(Net wanted, Map<String, String> names, boolean ignoreExtra, Region region)
            throws IOException {
        Net model = wanted == null ? named() : wanted;
        PareFile.checkSize(model);
        TensorNames found = TensorNames.find(path, file, model, names, ignoreExtra);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            String name = found.of(parameter);
            tensors.put(parameter.name(), file.contains(name + ".positions")
                    ? compressed(name, parameter, region)
                    : dense(name, parameter, region));
        }
        boolean scaled = file.metadata().containsKey(NetworkFile.MEAN)
                || file.metadata().containsKey(NetworkFile.DEVIATION);
        return new StoredNetwork(new CompressedWeights(model, tensors, scale(model)), scaled, found.byOrder(),
                List.of());
    }

    private Net named() {
        String layers = file.metadata().get(NetworkFile.LAYERS);
        if (layers != null) {
            try {
                return PareFile.network(Base64.getDecoder().decode(layers));
            } catch (IllegalArgumentException e) {
                throw new FormatException("entry " + NetworkFile.LAYERS + ": " + e.getMessage(), e);
            }
        }
        String name = file.metadata().get(NetworkFile.MODEL);
        if (name == null) {
            throw new FormatException(path + " does not say which network its tensors "
                    + TensorNames.some(file.names()) + " belong to: name the network; known are "
                    + String.join(", ", Models.names()));
        }
        String input = file.metadata().get(NetworkFile.INPUT);
        return Models.byName(name, input == null ? null : Shape.parse(input),
                Integer.parseInt(file.metadata().getOrDefault(NetworkFile.CLASSES, "0")));
    }

    /** What the file says, else what is usual. */
    private InputScale scale(Net model) {
        InputScale usual = InputScale.usual(model.input());
        try {
            InputScale scale = InputScale.parse(file.metadata().getOrDefault(NetworkFile.MEAN, usual.means()),
                    file.metadata().getOrDefault(NetworkFile.DEVIATION, usual.deviations()));
            if (!scale.fits(model.input())) {
                throw new IllegalArgumentException("for " + scale.mean().size() + " channels, the input is "
                        + model.input());
            }
            return scale;
        } catch (IllegalArgumentException e) {
            throw new FormatException(path + ", entries " + NetworkFile.MEAN + " and " + NetworkFile.DEVIATION + ": "
                    + e.getMessage(), e);
        }
    }

    private CompressedTensor dense(String name, Parameter parameter, Region region) throws IOException {
        FloatTensor tensor = file.floats(name, region);
        if (!Arrays.equals(tensor.shape(), parameter.shape())) {
            throw new FormatException(path + ": tensor '" + name + "' has shape " + Arrays.toString(tensor.shape())
                    + ", " + parameter.name() + " needs " + Arrays.toString(parameter.shape()));
        }
        return CompressedTensor.of(tensor);
    }

    private CompressedTensor compressed(String name, Parameter parameter, Region region) throws IOException {
        long[] positions = file.longs(name + ".positions");
        boolean coded = file.contains(name + ".codes");
        long[] codes = coded ? file.longs(name + ".codes") : null;
        float[] values = file.floats(name + (coded ? ".codebook" : ".values"), region).toArray();
        if ((coded ? codes.length : values.length) != positions.length
                || !Arrays.equals(file.longs(name + ".shape"), parameter.shape())) {
            throw new FormatException(path + ": the parts of tensor '" + name + "' do not fit together or not "
                    + Arrays.toString(parameter.shape()));
        }
        int[] kept = new int[positions.length];
        float[] found = new float[positions.length];
        int count = 0;
        long last = -1;
        for (int i = 0; i < positions.length; i++) {
            long at = positions[i];
            if (at <= last || at >= parameter.count() || coded && (codes[i] < 0 || codes[i] >= values.length)) {
                throw new FormatException(path + ": element " + i + " of tensor '" + name
                        + "' is out of range, or not behind the one before it");
            }
            last = at;
            float value = coded ? values[(int) codes[i]] : values[i];
            if (!Float.isFinite(value)) {
                throw new FormatException(path + ": element " + i + " of tensor '" + name + "' is " + value);
            }
            if (value != 0) {
                kept[count] = (int) at;
                found[count++] = value;
            }
        }
        return CompressedTensor.of(parameter.shape(), Arrays.copyOf(kept, count), Arrays.copyOf(found, count));
    }
}
