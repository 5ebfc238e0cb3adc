// One cluster and one user of a kubeconfig, read and checked. Private to link/.
#pragma once

#include "link/kube_config.h"
#include "link/kube_fields.h"

namespace tidemark::link {

Status read_cluster(const KubeFields& cluster, KubeAccess& to);
Status read_user(const KubeFields& user, KubeAccess& to);

}  // namespace tidemark::link
