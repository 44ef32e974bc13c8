package io.pare.format;

import io.pare.file.FormatException;
import io.pare.format.tensors.NamedTensors;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which tensor of a file belongs to each parameter of a network. */
final class TensorNames {
    /** Tensors that a message names of a kind. */
    private static final int NAMED = 8;
    /** PyTorch counts batches beside running statistics, and makes no use of it at a fixed momentum. */
    private static final String UNUSED_COUNTER = ".num_batches_tracked";

    private final Path path;
    private final NamedTensors file;
    private final Net model;
    private final Map<String, String> given;
    private final boolean ignoreExtra;
    private Map<String, String> found = new TreeMap<>();
    private boolean byOrder;

    private TensorNames(Path path, NamedTensors file, Net model, Map<String, String> given, boolean ignoreExtra) {
        this.path = path;
        this.file = file;
        this.model = model;
        this.given = given;
        this.ignoreExtra = ignoreExtra;
    }

    /**
     * Finds each parameter's tensor: by the map, by its own name, also behind a prefix that all share such as "module.", or
     * as the only tensor of its shape. Where that fails, tensors are taken in the file's order. The file must keep the order
     * of its making then, and each tensor be of the kind and shape of the network's parameter at its place. Where tensors may
     * be extra, names alone decide; where a map is given, the order does not.
     *
     * @throws FormatException listing what is missing, not known, or of another shape
     */
    static TensorNames find(Path path, NamedTensors file, Net model, Map<String, String> given, boolean ignoreExtra) {
        TensorNames names = new TensorNames(path, file, model, given, ignoreExtra);
        names.find();
        return names;
    }

    /** Name of a parameter's tensor. */
    String of(Parameter parameter) {
        return found.get(parameter.name());
    }

    /** Whether the tensors have names of their own, and were taken in the file's order. */
    boolean byOrder() {
        return byOrder;
    }

    private void find() {
        Set<String> unused = new TreeSet<>();
        file.names().forEach(name -> unused.add(tensorName(name)));
        List<String> missing = new ArrayList<>();
        findByName(unused, missing);
        findByShape(unused, missing);
        List<String> unfit = new ArrayList<>();
        for (Parameter parameter : model.parameters()) {
            String name = of(parameter);
            if (name != null && file.contains(name) && !fits(name, parameter)) {
                unfit.add(name + " " + Arrays.toString(file.shape(name)) + " instead of "
                        + Arrays.toString(parameter.shape()));
            }
        }
        if (!missing.isEmpty() && findByOrder()) {
            return;
        }
        unused.removeIf(name -> ignoreExtra || name.endsWith(UNUSED_COUNTER));
        if (!missing.isEmpty() || !unfit.isEmpty()) {
            throw new FormatException(path + " does not hold the weights of " + model.name()
                    + (missing.isEmpty() ? "" : "; missing: " + some(missing))
                    + (unused.isEmpty() ? "" : "; not known: " + some(unused))
                    + (unfit.isEmpty() ? "" : "; of another shape: " + some(unfit))
                    + ". Name another model, or map the names by a file with lines such as "
                    + model.parameters().getFirst().name() + "=NAME");
        }
        if (!unused.isEmpty()) {
            throw new FormatException(path + " holds the weights of " + model.name() + " and what it has no parameter"
                    + " for: " + some(unused) + "; --ignore-extra leaves that out");
        }
    }

    private void findByName(Set<String> unused, List<String> missing) {
        String prefix = prefix();
        for (Parameter parameter : model.parameters()) {
            String name = given.getOrDefault(parameter.name(), prefix + parameter.name());
            if (has(name)) {
                found.put(parameter.name(), name);
                unused.remove(name);
            } else if (given.containsKey(parameter.name())) {
                missing.add("'" + name + "' (to which " + parameter.name() + " is mapped)");
            }
        }
    }

    private void findByShape(Set<String> unused, List<String> missing) {
        for (Parameter parameter : model.parameters()) {
            if (!found.containsKey(parameter.name()) && !given.containsKey(parameter.name())) {
                List<String> alike = unused.stream().filter(name -> file.contains(name) && fits(name, parameter))
                        .toList();
                if (alike.size() == 1 && !ignoreExtra) {
                    found.put(parameter.name(), alike.getFirst());
                    unused.remove(alike.getFirst());
                } else {
                    missing.add(parameter.name() + " " + Arrays.toString(parameter.shape())
                            + (alike.isEmpty() ? "" : ", which may be one of [" + some(alike) + "]"));
                }
            }
        }
    }

    /** Takes the tensors as they come, if no name and no shape speaks against it. */
    private boolean findByOrder() {
        List<String> tensors = file.names().stream().filter(name -> !name.endsWith(UNUSED_COUNTER)).toList();
        List<Parameter> parameters = model.parameters();
        if (!file.keepsOrder() || !given.isEmpty() || ignoreExtra || tensors.size() != parameters.size()) {
            return false;
        }
        Map<String, String> ordered = new TreeMap<>();
        for (int i = 0; i < tensors.size(); i++) {
            Parameter parameter = parameters.get(i);
            String name = tensors.get(i);
            if (!fits(name, parameter) || !kind(name).equals(kind(parameter.name()))
                    || !name.equals(found.getOrDefault(parameter.name(), name))) {
                return false;
            }
            ordered.put(parameter.name(), name);
        }
        found = ordered;
        byOrder = true;
        return true;
    }

    private boolean fits(String name, Parameter parameter) {
        return Arrays.equals(file.shape(name), parameter.shape());
    }

    /** What a tensor is to its layer, as the last part of its name says: weight, bias, running_mean or running_var. */
    private static String kind(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** The first of them, and how many more there are: networks have hundreds of tensors. */
    static String some(Collection<String> names) {
        String first = names.stream().limit(NAMED).collect(Collectors.joining(", "));
        return names.size() <= NAMED ? first : first + " and " + (names.size() - NAMED) + " more";
    }

    /** What stands before the names of most parameters. */
    private String prefix() {
        String best = "";
        if (model.parameters().isEmpty()) {
            return best;
        }
        long most = hits(best);
        String first = "." + model.parameters().getFirst().name();
        for (String name : file.names()) {
            String tensor = tensorName(name);
            if (tensor.endsWith(first)) {
                String prefix = tensor.substring(0, tensor.length() - first.length() + 1);
                long hits = hits(prefix);
                if (hits > most) {
                    most = hits;
                    best = prefix;
                }
            }
        }
        return best;
    }

    private long hits(String prefix) {
        return model.parameters().stream().filter(parameter -> has(prefix + parameter.name())).count();
    }

    /** The tensor to which an entry belongs: a compressed one has several entries. */
    private static String tensorName(String entry) {
        for (String part : List.of(".positions", ".codes", ".codebook", ".values", ".shape")) {
            if (entry.endsWith(part)) {
                return entry.substring(0, entry.length() - part.length());
            }
        }
        return entry;
    }

    private boolean has(String name) {
        return file.contains(name) || file.contains(name + ".positions");
    }
}
