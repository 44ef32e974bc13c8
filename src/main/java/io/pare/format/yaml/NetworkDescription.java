package io.pare.format.yaml;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pare.file.FormatException;
import io.pare.file.Jackson;
import io.pare.file.Spelling;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A network as a YAML file declares it: the shape of its input, and layers one after another.
 *
 * <pre>{@code
 * input: 1x28x28
 * layers:
 *   - conv: {out: 8, kernel: 5}
 *   - relu
 *   - max-pool: {kernel: 2}
 *   - linear: {out: classes}
 * }</pre>
 *
 * <p>Every key is checked: unknown ones are refused with the nearest known one. {@code classes} stands for the number of
 * classes of the data.
 */
public final class NetworkDescription {
    private static final long MOST_BYTES = 1 << 20;
    private static final int MOST_DEPTH = 50;
    private static final Set<String> KEYS = Set.of("input", "layers");
    private static final String NAME = "name";

    private final Path file;
    private final Shape input;
    private final JsonNode layers;

    private NetworkDescription(Path file, Shape input, JsonNode layers) {
        this.file = file;
        this.input = input;
        this.layers = layers;
    }

    /** Kinds of layers, and the keys that each takes besides {@code name}. */
    private enum Kind {
        CONV("out", "kernel", "stride", "padding", "dilation", "groups", "bias"),
        LINEAR("out"),
        MAX_POOL("kernel", "stride", "padding"),
        AVG_POOL("kernel", "stride", "padding"),
        GLOBAL_AVG_POOL,
        BATCH_NORM("epsilon"),
        GROUP_NORM("groups", "epsilon"),
        DROPOUT("rate"),
        FLATTEN,
        RELU,
        LEAKY_RELU("slope"),
        RELU6,
        ELU,
        GELU,
        SWISH,
        HARD_SWISH,
        SIGMOID,
        TANH,
        RESIDUAL("body", "shortcut"),
        CONCAT("branches");

        private final Set<String> keys;

        Kind(String... keys) {
            this.keys = new TreeSet<>(List.of(keys));
            this.keys.add(NAME);
        }

        private String title() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * Reads a file.
     *
     * @param file a text in YAML
     * @return the description, checked line by line
     * @throws FormatException if it is no such description
     * @throws IOException if the file cannot be read
     */
    public static NetworkDescription read(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new FormatException(file + " has more than " + MOST_BYTES + " bytes: it declares no network");
        }
        Jackson.needForYaml("networks in YAML");
        JsonNode root = YamlText.read(file);
        if (root == null || !root.isObject()) {
            throw new FormatException(file + ": a network is a map with the keys input and layers");
        }
        checkKeys(file + ": ", root, KEYS);
        JsonNode layers = root.path("layers");
        if (!layers.isArray() || layers.isEmpty()) {
            throw new FormatException(file + ": 'layers' must be a list of at least one layer");
        }
        try {
            return new NetworkDescription(file, Shape.parse(root.path("input").asText()), layers);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file + ": 'input' must be the shape of an image, such as 3x32x32");
        }
    }

    /** {@return the shape of an image that the network takes} */
    public Shape input() {
        return input;
    }

    /**
     * {@return the network}
     *
     * @param name for the network
     * @param classes what {@code classes} stands for
     * @throws FormatException if the layers do not fit together
     */
    public Net net(String name, int classes) {
        NetBuilder builder = new NetBuilder(name, input);
        try {
            new Builder(builder, classes).add(layers, "layer", 0);
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new FormatException(file + ": " + e.getMessage());
        } catch (ArithmeticException e) {
            throw new FormatException(file + ": the sizes of a layer are too large: " + e.getMessage(), e);
        }
    }

    private static void checkKeys(String where, JsonNode map, Set<String> known) {
        map.fieldNames().forEachRemaining(key -> {
            if (!known.contains(key)) {
                throw new FormatException(where + "unknown key '" + key + "'" + Spelling.suggestion(key, known)
                        + "; known are " + String.join(", ", new TreeSet<>(known)));
            }
        });
    }

    /** Appends layers to a network. */
    private final class Builder {
        private final NetBuilder net;
        private final int classes;
        private final Map<Kind, Integer> counts = new HashMap<>();

        Builder(NetBuilder net, int classes) {
            this.net = net;
            this.classes = classes;
        }

        void add(JsonNode list, String what, int depth) {
            if (!list.isArray() && !list.isMissingNode()) {
                throw new FormatException(file + ": " + what + " must be a list of layers");
            }
            if (depth > MOST_DEPTH) {
                throw new FormatException(file + ": layers lie in one another more than " + MOST_DEPTH + " deep");
            }
            for (int i = 0; i < list.size(); i++) {
                layer(list.get(i), what + " " + (i + 1), depth);
            }
        }

        private void layer(JsonNode node, String place, int depth) {
            boolean alone = node.isTextual();
            if (!alone && (!node.isObject() || node.size() != 1)) {
                throw new FormatException(file + ": " + place
                        + " must be one kind with a map, such as 'conv: {out: 8, kernel: 3}'");
            }
            String title = alone ? node.asText() : node.fieldNames().next();
            JsonNode given = alone ? JsonNodeFactory.instance.objectNode() : node.get(title);
            if (!given.isObject() && !given.isNull()) {
                throw new FormatException(file + ": " + place + " (" + title + ") must be a map of settings");
            }
            Kind kind = kind(title, place);
            checkKeys(file + ": " + place + " (" + title + "): ", given, kind.keys);
            Settings settings = new Settings(place + " (" + title + ")", given);
            String name = given.path(NAME).asText(title.replace("-", "") + counts.merge(kind, 1, Integer::sum));
            switch (kind) {
                case RESIDUAL -> net.residual(name, _ -> add(given.path("body"), place + ": body", depth + 1),
                        _ -> add(given.path("shortcut"), place + ": shortcut", depth + 1));
                case CONCAT -> concat(name, given.path("branches"), place, depth);
                case LINEAR -> {
                    if (net.shape().rank() > 1) {
                        net.flatten(name + ".flatten");
                    }
                    net.linear(name, settings.count("out"));
                }
                default -> net.add(name, operator(kind, settings));
            }
        }

        private void concat(String name, JsonNode branches, String place, int depth) {
            int start = net.at();
            List<Integer> ends = new ArrayList<>();
            for (JsonNode branch : branches) {
                net.from(start);
                add(branch, place + ": branch " + (ends.size() + 1), depth + 1);
                ends.add(net.at());
            }
            if (ends.isEmpty()) {
                throw new FormatException(file + ": " + place + " needs 'branches', a list of lists of layers");
            }
            net.concat(name, ends);
        }

        private Kind kind(String title, String place) {
            List<String> known = new ArrayList<>();
            for (Kind kind : Kind.values()) {
                known.add(kind.title());
                if (kind.title().equals(title)) {
                    return kind;
                }
            }
            throw new FormatException(file + ": " + place + ": unknown kind '" + title + "'"
                    + Spelling.suggestion(title, known) + "; known are " + String.join(", ", known));
        }

        private Op operator(Kind kind, Settings settings) {
            Shape shape = net.shape();
            return switch (kind) {
                case CONV -> new Op.Conv2d(shape.channels(), settings.count("out"),
                        Window.uniform(settings.count("kernel"), settings.count("kernel"), settings.count("stride", 1),
                                settings.count("padding", 0), settings.count("dilation", 1)),
                        settings.count("groups", 1), settings.flag("bias", true));
                case MAX_POOL -> Op.MaxPool.of(settings.count("kernel"),
                        settings.count("stride", settings.count("kernel")), settings.count("padding", 0));
                case AVG_POOL -> Op.AvgPool.of(settings.count("kernel"),
                        settings.count("stride", settings.count("kernel")), settings.count("padding", 0));
                case GLOBAL_AVG_POOL -> new Op.GlobalAvgPool();
                case BATCH_NORM -> new Op.BatchNorm(shape.channels(), settings.number("epsilon", 1e-5f));
                case GROUP_NORM -> new TensorOp.GroupNorm(shape.channels(), settings.count("groups"),
                        settings.number("epsilon", 1e-5f));
                case DROPOUT -> new Op.Dropout(settings.number("rate", 0.5f));
                case FLATTEN -> new Op.Flatten();
                case RELU -> new Op.Relu();
                case LEAKY_RELU -> new TensorOp.Map(Pointwise.LEAKY_RELU, settings.number("slope", 0.01f), 0);
                case RELU6 -> new TensorOp.Map(Pointwise.CLIP, 0, 6);
                case ELU -> new TensorOp.Map(Pointwise.ELU, 1, 0);
                case GELU -> TensorOp.Map.of(Pointwise.GELU);
                case SWISH -> TensorOp.Map.of(Pointwise.SWISH);
                case HARD_SWISH -> new TensorOp.Map(Pointwise.HARD_SWISH, 1 / 6f, 0.5f);
                case SIGMOID -> new Op.Sigmoid();
                case TANH -> TensorOp.Map.of(Pointwise.TANH);
                case LINEAR, RESIDUAL, CONCAT -> throw new AssertionError(kind + " is no single operator");
            };
        }

        /** The settings of a layer. */
        private final class Settings {
            private final String place;
            private final JsonNode given;

            Settings(String place, JsonNode given) {
                this.place = place;
                this.given = given;
            }

            int count(String key) {
                JsonNode value = given.path(key);
                if (value.isMissingNode()) {
                    throw new FormatException(file + ": " + place + " needs '" + key + "'");
                }
                return count(key, 0);
            }

            int count(String key, int otherwise) {
                JsonNode value = given.path(key);
                if (value.isMissingNode()) {
                    return otherwise;
                }
                if (value.asText().equals("classes")) {
                    return classes;
                }
                int least = key.equals("padding") ? 0 : 1;
                if (!value.isInt() || value.asInt() < least) {
                    throw wrong(key, value, "a whole number from " + least + " on");
                }
                return value.asInt();
            }

            float number(String key, float otherwise) {
                JsonNode value = given.path(key);
                if (value.isMissingNode()) {
                    return otherwise;
                }
                if (!value.isNumber()) {
                    throw wrong(key, value, "a number");
                }
                return value.floatValue();
            }

            boolean flag(String key, boolean otherwise) {
                JsonNode value = given.path(key);
                if (value.isMissingNode()) {
                    return otherwise;
                }
                if (!value.isBoolean()) {
                    throw wrong(key, value, "true or false");
                }
                return value.asBoolean();
            }

            private FormatException wrong(String key, JsonNode value, String wanted) {
                return new FormatException(file + ": " + place + ": '" + key + "' is " + value + ", must be " + wanted);
            }
        }
    }
}
