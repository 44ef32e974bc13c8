package io.pare.run;

import io.pare.compress.recipe.Recipe;
import io.pare.data.Corpus;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.StoredNetwork;
import io.pare.train.Network;
import io.pare.train.Teachers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The networks that a recipe distils from, with their weights from files. Closing it frees them. */
final class StoredTeachers implements AutoCloseable {
    private final List<Network> networks = new ArrayList<>();
    private final int copies;
    private @Nullable Teachers teachers;

    private StoredTeachers(int copies) {
        this.copies = copies;
    }

    /**
     * Reads those whom a recipe names.
     *
     * @throws RunException if one is not there, or does not fit the network or its data
     * @throws io.pare.file.FormatException if a file is damaged
     * @throws IOException if a file cannot be read
     */
    static StoredTeachers open(Recipe recipe, Net model, Corpus corpus) throws IOException {
        Integer copies = recipe.teaching().copies();
        StoredTeachers opened = new StoredTeachers(copies == null ? Teachers.AS_THEY_ARE : copies);
        try {
            for (String path : recipe.teaching().teacher()) {
                if (!Files.exists(Path.of(path))) {
                    throw new RunException("recipe " + recipe.name() + " distils from " + path + ", which is not there"
                            + makeIt(Path.of(path)));
                }
                try {
                    opened.networks.add(read(Path.of(path), model, corpus));
                } catch (RunException e) {
                    throw new RunException("recipe " + recipe.name() + " distils from " + path + ": " + e.getMessage());
                }
            }
            if (!opened.empty()) {
                opened.teachers = new Teachers(opened.networks, opened.copies);
            }
            return opened;
        } catch (RuntimeException | Error | IOException e) {
            opened.close();
            throw e;
        }
    }

    /** How to make a teacher whose folder has the name of a model; docs/recipes.md has options that make it better. */
    private static String makeIt(Path path) {
        String name = path.getFileName().toString();
        return Models.names().contains(name)
                ? ": make it once by 'pare train " + name + " --epochs 18 --shift 1 --rotate 10 --out " + path + "'"
                : ": train it first, or name another";
    }

    private static Network read(Path path, Net student, Corpus corpus) throws IOException {
        StoredNetwork stored = StoredWeights.of(path).read(null);
        Net model = stored.weights().model();
        InputScale scale = stored.weights().scale();
        if (!model.input().equals(student.input()) || model.classes() != student.classes()) {
            throw new RunException("it takes " + model.input() + " and tells " + model.classes() + " classes apart, "
                    + student.name() + " takes " + student.input() + " and tells " + student.classes()
                    + ": give a teacher of the same");
        }
        if (stored.scaled() && !scale.equals(corpus.scale())) {
            throw new RunException("it is for pixels of scale " + Scales.text(scale) + ", here they have "
                    + Scales.text(corpus.scale()) + ": --scale " + Scales.text(scale) + " keeps the teacher's");
        }
        Network network = Network.create(model, 1, Natives.enabled());
        try {
            network.copyFrom(stored.weights());
            return network;
        } catch (RuntimeException | Error e) {
            network.close();
            throw e;
        }
    }

    /** Whether the recipe names nobody: then the dense network teaches. */
    boolean empty() {
        return networks.isEmpty();
    }

    /** Lets the dense network teach. */
    void byDense(Network dense) {
        teachers = new Teachers(List.of(dense), copies);
    }

    /** {@return the teachers; null where there are none} */
    @Nullable
    Teachers teachers() {
        return teachers;
    }

    /** Those who are named. */
    List<Network> networks() {
        return networks;
    }

    @Override
    public void close() {
        if (teachers != null) {
            teachers.close();
        }
        networks.forEach(Network::close);
    }
}
